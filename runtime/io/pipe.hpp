#pragma once
#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/owned_fd.hpp>
#include <fcntl.h>
namespace skua {
struct FdReadCall {
  using Value = std::size_t;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read";
  explicit FdReadCall(MutableBuffer into) noexcept : buffer(into) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept { return kernel::read(fd, buffer.data(), buffer.size()); }
  bool drained(ssize_t) const noexcept { return false; }
  static Result<std::size_t> finish(ssize_t n) { return static_cast<std::size_t>(n); }
  MutableBuffer buffer;
};
struct FdWriteAllCall {
  using Value = void;
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_all";
  explicit FdWriteAllCall(ConstBuffer from) noexcept : rest(from) {}
  bool has_nothing_to_do() const noexcept { return rest.size() == 0; }
  ssize_t attempt(int fd) noexcept {
    while (rest.size() != 0) {
      const ssize_t n = kernel::write(fd, rest.data(), rest.size());
      if (n < 0) return n;
      rest = rest.after(static_cast<std::size_t>(n));
    }
    return 0;
  }
  bool drained(ssize_t) const noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  ConstBuffer rest;
};
class PipeEnd {
 public:
  Result<OwnedFd> into_blocking_fd() && {
    OwnedFd copy(kernel::fcntl(source_->fd(), F_DUPFD_CLOEXEC, 0));
    kernel::fcntl(copy.get(), F_SETFL, kernel::fcntl(copy.get(), F_GETFL) & ~O_NONBLOCK);
    source_ = nullptr;
    return copy;
  }
 protected:
  explicit PipeEnd(OwnedFd fd) : source_(make_ref<reactor::IoSource>(fd.release())) {
    kernel::fcntl(source_->fd(), F_SETFL, kernel::fcntl(source_->fd(), F_GETFL) | O_NONBLOCK);
  }
  Ref<reactor::IoSource> source_;
};
class PipeReader : public PipeEnd {
 public:
  static Result<PipeReader> from_fd(OwnedFd fd) { return PipeReader(std::move(fd)); }
  IoOperation<FdReadCall> read(MutableBuffer buffer) noexcept { return {*source_, FdReadCall(buffer)}; }
  using PipeEnd::PipeEnd;
};
class PipeWriter : public PipeEnd {
 public:
  static Result<PipeWriter> from_fd(OwnedFd fd) { return PipeWriter(std::move(fd)); }
  IoOperation<FdWriteAllCall> write_all(ConstBuffer buffer) noexcept { return {*source_, FdWriteAllCall(buffer)}; }
  using PipeEnd::PipeEnd;
};
}  // namespace skua
