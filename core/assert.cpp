#include <skua/core/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace skua {

void fail_fast(std::string_view cause, std::string_view cure) noexcept {
  std::fprintf(stderr, "skua: %.*s. %.*s\n", static_cast<int>(cause.size()), cause.data(),
               static_cast<int>(cure.size()), cure.data());
  std::abort();
}

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "skua: assertion failed: %s at %s:%d. This is a bug in Skua, please report it.\n", condition,
               file, line);
  std::abort();
}

}  // namespace skua
