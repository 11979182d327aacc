// ControlMessages: reads what recvmsg() has put into a control buffer, and trusts none of its lengths.
#pragma once

#include <skua/io/owned_fd.hpp>

#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace skua {

struct ControlMessage {
  int level = 0;
  int type = 0;
  std::span<const std::byte> data;
};

class ControlMessages {
 public:
  explicit ControlMessages(std::span<const std::byte> control) noexcept : rest_(control) {}

  /// The next message; none at the end, or where the buffer is no sequence of messages any more.
  std::optional<ControlMessage> next() noexcept;

 private:
  std::span<const std::byte> rest_;
};

/// Owns all descriptors of all SCM_RIGHTS messages; adds the first ones to `into`, until that has `most`, and closes
/// the others. True if there were others. Room for them must be reserved: it must not fail.
bool take_descriptors(std::span<const std::byte> control, std::size_t most, std::vector<OwnedFd>& into) noexcept;

}  // namespace skua
