#include "interruption.hpp"

#include <utility>

namespace skua::tests {

namespace {
constinit thread_local bool is_pending = false;
}

Interruption::Interruption() noexcept { is_pending = true; }
Interruption::~Interruption() { is_pending = false; }
bool Interruption::has_struck() const noexcept { return !is_pending; }
bool Interruption::strikes() noexcept { return std::exchange(is_pending, false); }

}  // namespace skua::tests
