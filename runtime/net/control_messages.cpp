#include <skua/net/control_messages.hpp>

#include <algorithm>
#include <cstring>

namespace skua {

std::optional<ControlMessage> ControlMessages::next() noexcept {
  cmsghdr header;
  if (rest_.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, rest_.data(), sizeof header);
  if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > rest_.size()) return std::nullopt;
  const std::size_t length = header.cmsg_len;
  const auto data = rest_.first(length).subspan(CMSG_LEN(0));
  rest_ = rest_.subspan(std::min(CMSG_ALIGN(length), rest_.size()));
  return ControlMessage{.level = header.cmsg_level, .type = header.cmsg_type, .data = data};
}

bool take_descriptors(std::span<const std::byte> control, std::size_t most, std::vector<OwnedFd>& into) noexcept {
  bool closed_some = false;
  ControlMessages messages(control);
  while (const auto message = messages.next()) {
    if (message->level != SOL_SOCKET || message->type != SCM_RIGHTS) continue;
    for (auto data = message->data; data.size() >= sizeof(int); data = data.subspan(sizeof(int))) {
      int number = -1;
      std::memcpy(&number, data.data(), sizeof number);
      OwnedFd descriptor(number);
      if (into.size() < most) {
        into.push_back(std::move(descriptor));
      } else {
        closed_some = true;
      }
    }
  }
  return closed_some;
}

}  // namespace skua
