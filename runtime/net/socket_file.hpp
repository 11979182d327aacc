// SocketFile: the file of a bound Unix socket, removed when its owner goes.
//
// Only if it is still the one that was made: another program may have removed it and bound its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

namespace skua {

class SocketFile {
 public:
  /// None.
  SocketFile() noexcept = default;
  /// The file that bind() has just made.
  explicit SocketFile(std::string path) noexcept;
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
  SocketFile& operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    return *this;
  }
  ~SocketFile();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace skua
