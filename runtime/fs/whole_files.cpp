#include <skua/core/kernel.hpp>
#include <skua/fs/paths.hpp>
#include <skua/fs/temporary.hpp>
#include <skua/fs/whole_files.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace skua::fs {

namespace {

constexpr std::size_t copied_a_call = std::size_t{16} << 20;

/// Copies a piece from the position of one file to that of the other. 0: the end.
class CopyOperation final : public reactor::Operation {
 public:
  CopyOperation(Ref<FileState> from, Ref<FileState> to) noexcept : from_(std::move(from)), to_(std::move(to)) {}

  int perform() noexcept override {
    const ssize_t count = kernel::copy_file_range(from_->fd.get(), to_->fd.get(), copied_a_call);
    // Other file systems, /proc, pipes: as everybody does.
    const bool cannot =
        count == -EXDEV || count == -EINVAL || count == -EOPNOTSUPP || count == -ENOSYS || count == -EPERM;
    // 0 may also mean a file that does not know its size (/proc): a read tells.
    return cannot || count == 0 ? copy_by_hand() : static_cast<int>(count);
  }

  Result<std::uint64_t> finish(int result) const {
    if (result < 0) return system_error(-result, "copy_file", from_->path + " -> " + to_->path);
    return static_cast<std::uint64_t>(result);
  }

 private:
  int copy_by_hand() const noexcept {
    constexpr std::size_t size = 128 * 1024;
    const std::unique_ptr<char[]> buffer(new (std::nothrow) char[size]);
    if (!buffer) return -ENOMEM;
    const ssize_t count = kernel::read(from_->fd.get(), buffer.get(), size);
    for (ssize_t done = 0; done < count;) {
      const ssize_t written = kernel::write(to_->fd.get(), buffer.get() + done, static_cast<std::size_t>(count - done));
      if (written <= 0) return written == 0 ? -EIO : static_cast<int>(written);
      done += written;
    }
    return static_cast<int>(count);
  }

  const Ref<FileState> from_;
  const Ref<FileState> to_;
};

}  // namespace

Task<Result<std::string>> read_to_string(std::filesystem::path path, std::size_t limit) {
  File file = co_await try_(File::open(path));
  const Metadata found = co_await try_(file.metadata());
  std::string text;
  std::size_t size = 0;
  // One byte more than it should have shows the end, or that it has grown (or, in /proc, does not know its size).
  std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(found.size, limit)) + 1;
  for (;;) {
    text.resize(size + room);
    const MutableBuffer rest(text.data() + size, room);
    const std::size_t count = co_await try_(file.read(rest));
    size += count;
    if (count == 0) break;
    if (size > limit) co_return system_error(EFBIG, "read", file.path());
    room = std::max<std::size_t>(text.size() - size, std::min<std::size_t>(64 * 1024, limit - size + 1));
  }
  text.resize(size);
  co_return text;
}

Task<Result<void>> write_file(std::filesystem::path path, ConstBuffer bytes) {
  File file = co_await try_(File::create(path));
  co_await try_(file.write_all(bytes));
  co_await try_(std::move(file).close());
  co_return {};
}

Task<Result<void>> write_file_atomically(std::filesystem::path path, ConstBuffer bytes) {
  const auto replaced = co_await fs::metadata(path);
  // For everybody as a new file is, or for nobody else until it is complete.
  const std::uint32_t permissions = replaced ? 0600 : 0666;
  TemporaryFile temporary = co_await try_(TemporaryFile::create_in(path.parent_path(), permissions));
  co_await try_(temporary.file().write_all(bytes));
  if (replaced) co_await try_(temporary.file().set_permissions(replaced->permissions));
  co_await try_(temporary.file().sync_all());
  co_await try_(std::move(temporary).persist(path));
  co_return {};
}

Task<Result<std::uint64_t>> copy_file(std::filesystem::path from, std::filesystem::path to) {
  File source = co_await try_(File::open(from));
  const Metadata found = co_await try_(source.metadata());
  if (found.is_directory()) co_return system_error(EISDIR, "copy_file", from.native());
  const OpenOptions options = OpenOptions().write(true).create(true).permissions(found.permissions);
  File target = co_await try_(File::open(to, options));
  const Metadata replaced = co_await try_(target.metadata());
  // Cutting it first would destroy what is to be copied.
  if (replaced.device == found.device && replaced.inode == found.inode) {
    co_return system_error(EINVAL, "copy_file to itself", from.native());
  }
  co_await try_(target.set_size(0));
  co_await try_(target.set_permissions(found.permissions));
  std::uint64_t total = 0;
  for (;;) {
    OperationFuture<CopyOperation> piece(make_ref<CopyOperation>(source.state(), target.state()));
    const std::uint64_t count = co_await try_(piece);
    if (count == 0) break;
    total += count;
  }
  co_await try_(std::move(target).close());
  co_return total;
}

}  // namespace skua::fs
