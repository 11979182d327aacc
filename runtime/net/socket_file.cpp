#include <skua/core/kernel.hpp>
#include <skua/net/socket_file.hpp>

namespace skua {

SocketFile::SocketFile(std::string path) noexcept : path_(std::move(path)) {
  struct stat status{};
  if (kernel::lstat(path_.c_str(), &status) < 0) path_.clear();
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

SocketFile::~SocketFile() {
  if (path_.empty()) return;
  struct stat status{};
  if (kernel::lstat(path_.c_str(), &status) < 0 || status.st_dev != device_ || status.st_ino != inode_) return;
  kernel::unlink(path_.c_str());
}

}  // namespace skua
