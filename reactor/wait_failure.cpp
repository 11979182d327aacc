#include <skua/core/assert.hpp>
#include <skua/core/kernel.hpp>
#include <skua/reactor/wait_failure.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace skua::reactor {

namespace {

constexpr Duration longest_pause = std::chrono::milliseconds(1);

// Closed by somebody else, and perhaps opened again as something else.
bool is_not_ours(int error) noexcept { return error == EBADF || error == EINVAL || error == EOPNOTSUPP; }

}  // namespace

void pause_after_failed_wait(const char* call, int error, std::optional<Duration> timeout) noexcept {
  if (is_not_ours(error)) {
    std::array<char, 160> cause;
    std::snprintf(cause.data(), cause.size(), "the runtime's own descriptor was closed: %s: %s", call,
                  ::strerrordesc_np(error));
    fail_fast(cause.data(), "Look for a close() of a descriptor that is closed already or belongs to somebody else");
  }
  kernel::sleep(std::min(longest_pause, timeout.value_or(longest_pause)));
}

}  // namespace skua::reactor
