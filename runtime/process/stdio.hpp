// Stdio: what a child process has as one of its standard streams.
#pragma once

#include <skua/io/owned_fd.hpp>

#include <memory>
#include <utility>

namespace skua {

class Stdio {
 public:
  enum class Kind { inherit, null, piped, descriptor };

  /// What this process has.
  static Stdio inherit() noexcept { return Stdio(Kind::inherit); }
  /// /dev/null: nothing to read, and what is written is gone.
  static Stdio null() noexcept { return Stdio(Kind::null); }
  /// A pipe, whose other end the Child has.
  static Stdio piped() noexcept { return Stdio(Kind::piped); }
  /// A file, a socket, an end of a pipe: see PipeReader::into_blocking_fd(). It is closed here with the last copy of
  /// the Stdio, so with the Command; a reader of the pipe that it writes to sees no end before.
  static Stdio from(OwnedFd fd) {
    Stdio stdio(Kind::descriptor);
    stdio.fd_ = std::make_shared<const OwnedFd>(std::move(fd));
    return stdio;
  }

  Kind kind() const noexcept { return kind_; }
  /// Of kind `descriptor`; else -1.
  int fd() const noexcept { return fd_ ? fd_->get() : -1; }

 private:
  explicit Stdio(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
  std::shared_ptr<const OwnedFd> fd_;
};

}  // namespace skua
