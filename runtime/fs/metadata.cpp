#include <skua/core/io_memory.hpp>
#include <skua/core/kernel.hpp>
#include <skua/fs/metadata.hpp>

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <new>
#include <utility>

namespace skua::fs {

namespace {

Metadata::Time time_of(const statx_timestamp& native) noexcept {
  return Metadata::Time(std::chrono::seconds(native.tv_sec) + std::chrono::nanoseconds(native.tv_nsec));
}

}  // namespace

FileType type_of_mode(std::uint32_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileType::regular;
    case S_IFDIR: return FileType::directory;
    case S_IFLNK: return FileType::symlink;
    case S_IFIFO: return FileType::fifo;
    case S_IFSOCK: return FileType::socket;
    case S_IFCHR: return FileType::character_device;
    case S_IFBLK: return FileType::block_device;
    default: return FileType::unknown;
  }
}

Metadata::Metadata(const struct statx& native) noexcept
    : type(type_of_mode(native.stx_mode)),
      size(native.stx_size),
      disk_size(native.stx_blocks * 512),
      permissions(native.stx_mode & 07777U),
      links(native.stx_nlink),
      user(native.stx_uid),
      group(native.stx_gid),
      inode(native.stx_ino),
      device(::makedev(native.stx_dev_major, native.stx_dev_minor)),
      modified(time_of(native.stx_mtime)),
      accessed(time_of(native.stx_atime)),
      changed(time_of(native.stx_ctime)) {}

StatOperation::StatOperation(const char* name, Ref<FileState> file, const std::filesystem::path& path,
                             std::uint32_t flags)
    : name_(name),
      file_(std::move(file)),
      path_(path.native()),
      flags_(file_ ? flags | AT_EMPTY_PATH : flags),
      native_(new(io_memory::allocate(sizeof(struct statx))) struct statx()) {}

StatOperation::~StatOperation() { io_memory::release(native_, sizeof(struct statx)); }

int StatOperation::fd() const noexcept { return file_ ? file_->fd.get() : AT_FDCWD; }

std::optional<reactor::Submission> StatOperation::submission() noexcept {
  if (!is_whole(path_)) return std::nullopt;
  return reactor::Submission{.opcode = IORING_OP_STATX,
                             .fd = fd(),
                             .off = address_of(native_),
                             .addr = address_of(path_.c_str()),
                             .len = STATX_BASIC_STATS,
                             .op_flags = flags_};
}

int StatOperation::perform() noexcept {
  if (!is_whole(path_)) return -EINVAL;
  return kernel::statx(fd(), path_.c_str(), flags_, STATX_BASIC_STATS, native_);
}

Result<Metadata> StatOperation::finish(int result) {
  const Ref<FileState> file = std::exchange(file_, nullptr);
  if (result < 0) return system_error(-result, name_, file ? file->path : path_);
  return Metadata(*native_);
}

}  // namespace skua::fs
