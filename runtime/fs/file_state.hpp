// FileState: an open file, shared by the File and the operations in flight on it: it is closed after the last of them.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/ref.hpp>
#include <skua/io/owned_fd.hpp>

#include <string>
#include <utility>

namespace skua::fs {

class FileState : public RefCounted<FileState> {
 public:
  FileState(OwnedFd opened, std::string name) noexcept : fd(std::move(opened)), path(std::move(name)) {}

  /// 0 or -errno: what the file system had to say. Requires that no operation is in flight.
  int close() noexcept { return kernel::close(fd.release()); }

  OwnedFd fd;
  const std::string path;  // as it was opened, for messages
  // Reads try first what the page cache holds, until the file system says that it cannot tell.
  seam::Atomic<bool> answers_at_once{true};
};

}  // namespace skua::fs
