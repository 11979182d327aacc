// DescriptorPassing: descriptors that travel with the bytes of a Unix socket (SCM_RIGHTS).
//
// The receiver gets descriptors of its own for the same open files. Receive with receive_with_descriptors() wherever
// some may come: a plain read() of the bytes that they travel with closes them.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/net/stream_calls.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace skua {

/// The most that one message can carry (the kernel's SCM_MAX_FD).
inline constexpr std::size_t most_passed_descriptors = 253;

struct ReceivedDescriptors {
  ReceivedDescriptors() = default;
  std::size_t size = 0;              // bytes in the buffer; 0 at the end
  bool is_truncated = false;         // a packet that was larger than the buffer: its rest is lost
  std::vector<OwnedFd> descriptors;  // close-on-exec; blocking or not as the sender had them
  bool descriptors_lost = false;     // more came than were asked for (or than this process may have): those are closed
};

struct SendDescriptorsCall : CountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "send_with_descriptors";
  SendDescriptorsCall(ConstBuffer from, std::span<const int> fds) noexcept : buffer(from), descriptors(fds) {}
  bool has_nothing_to_do() const noexcept { return false; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  ConstBuffer buffer;
  std::span<const int> descriptors;
};

struct ReceiveDescriptorsCall {
  using Value = ReceivedDescriptors;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "receive_with_descriptors";
  ReceiveDescriptorsCall(MutableBuffer into, std::size_t most);
  bool has_nothing_to_do() const noexcept { return false; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  Result<ReceivedDescriptors> finish(ssize_t count);
  MutableBuffer buffer;
  std::size_t most_descriptors;
  ReceivedDescriptors received;
};

template <class Derived>
class DescriptorPassing {
 public:
  /// Ready with how many bytes the kernel took: of a stream perhaps not all; the descriptors travel with the first of
  /// them. They stay the sender's too, and may be closed once this is ready; the span must live until then. Errors:
  /// invalid_argument without a byte or with more than 253 descriptors; bad_file_descriptor; too_many_links
  /// (ETOOMANYREFS: too many are under way). Cancel safety: nothing has been sent.
  IoOperation<SendDescriptorsCall> send_with_descriptors(ConstBuffer buffer,
                                                         std::span<const int> descriptors) noexcept {
    return {io_source(), SendDescriptorsCall(buffer, descriptors)};
  }
  /// As a read, with at most `most` descriptors (up to 253), whatever the peer sends: the others are closed, and the
  /// result says so. Cancel safety: neither bytes nor descriptors are lost.
  IoOperation<ReceiveDescriptorsCall> receive_with_descriptors(MutableBuffer buffer, std::size_t most) {
    return {io_source(), ReceiveDescriptorsCall(buffer, most)};
  }

 protected:
  DescriptorPassing() = default;
  ~DescriptorPassing() = default;

 private:
  reactor::IoSource& io_source() noexcept { return static_cast<Derived&>(*this).socket().source(); }
};

}  // namespace skua
