// For models of the primitives in sync/: what the production sources need beside them.
#pragma once

#include "woken_thread.hpp"

#include <skua/core/budget.hpp>
#include <skua/core/context.hpp>
#include <skua/sync/sync_error.hpp>

#include <system_error>

namespace skua {

namespace budget {
bool take(Context&) noexcept { return true; }
void give_back() noexcept {}
std::uint32_t remaining() noexcept { return unlimited; }
}  // namespace budget

std::error_code make_error_code(SyncError error) noexcept { return {static_cast<int>(error), std::generic_category()}; }

}  // namespace skua
