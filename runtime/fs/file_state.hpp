// FileState: an open file, shared by the File and the operations in flight on it: it is closed after the last of them.
//
// So the number of the descriptor names the same file as long as an operation may use it, also one that nobody waits
// for any more: a dropped write never goes to a file that was opened since.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/ref.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/reactor/operation.hpp>

#include <string>
#include <utility>

namespace skua::fs {

/// close(), which may wait (a network disk) and may fail. Not done at all: the descriptor is closed with the operation.
class CloseOperation final : public reactor::Operation {
 public:
  int perform() noexcept override { return kernel::close(fd_.release()); }

 private:
  friend class FileState;
  OwnedFd fd_;  // from the FileState, when it goes
};

class FileState : public RefCounted<FileState> {
 public:
  FileState(OwnedFd opened, std::string name) noexcept : fd(std::move(opened)), path(std::move(name)) {}
  ~FileState() {
    if (!closing_) return;
    closing_->fd_ = std::move(fd);
    closer_->submit(std::move(closing_));
  }

  /// `closer` does `closing` after the last operation, instead of the thread that happens to end it. For the File,
  /// once.
  void close_by(Ref<reactor::OperationExecutor> closer, Ref<CloseOperation> closing) noexcept {
    closer_ = std::move(closer);
    closing_ = std::move(closing);
  }

  OwnedFd fd;
  const std::string path;  // as it was opened, for messages
  // Reads try first what the page cache holds, until the file system says that it cannot tell.
  seam::Atomic<bool> answers_at_once{true};

 private:
  // Set by the File, read by whoever lets go last
  Ref<reactor::OperationExecutor> closer_;
  Ref<CloseOperation> closing_;
};

}  // namespace skua::fs
