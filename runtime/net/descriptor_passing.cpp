#include <skua/core/kernel.hpp>
#include <skua/net/control_messages.hpp>
#include <skua/net/descriptor_passing.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace skua {

namespace {

struct alignas(cmsghdr) ControlBuffer {
  std::array<std::byte, CMSG_SPACE(most_passed_descriptors * sizeof(int))> bytes;
};

}  // namespace

ssize_t SendDescriptorsCall::attempt(int fd) noexcept {
  // Without a byte to travel with, a stream would drop them in silence.
  if (buffer.size() == 0 || descriptors.size() > most_passed_descriptors) return -EINVAL;
  iovec bytes{.iov_base = const_cast<std::byte*>(buffer.data()), .iov_len = buffer.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  ControlBuffer control;
  if (!descriptors.empty()) {
    const cmsghdr header{
        .cmsg_len = CMSG_LEN(descriptors.size_bytes()), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(control.bytes.data(), &header, sizeof header);
    std::memcpy(control.bytes.data() + CMSG_LEN(0), descriptors.data(), descriptors.size_bytes());
    message.msg_control = control.bytes.data();
    message.msg_controllen = header.cmsg_len;
  }
  return kernel::sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Room for them now: once they are ours nothing may fail.
ReceiveDescriptorsCall::ReceiveDescriptorsCall(MutableBuffer into, std::size_t most)
    : buffer(into), most_descriptors(std::min(most, most_passed_descriptors)) {
  received.descriptors.reserve(most_descriptors);
}

ssize_t ReceiveDescriptorsCall::attempt(int fd) noexcept {
  iovec bytes{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  ControlBuffer control;
  if (most_descriptors != 0) {
    message.msg_control = control.bytes.data();
    // Not CMSG_SPACE: the kernel would use the padding for one more.
    message.msg_controllen = CMSG_LEN(most_descriptors * sizeof(int));
  }
  const ssize_t count = kernel::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  const auto filled = std::min<std::size_t>(message.msg_controllen, control.bytes.size());
  const bool closed_some = take_descriptors({control.bytes.data(), filled}, most_descriptors, received.descriptors);
  received.descriptors_lost = closed_some || (message.msg_flags & MSG_CTRUNC) != 0;
  received.is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
  return count;
}

Result<ReceivedDescriptors> ReceiveDescriptorsCall::finish(ssize_t count) {
  received.size = static_cast<std::size_t>(count);
  return std::move(received);
}

}  // namespace skua
