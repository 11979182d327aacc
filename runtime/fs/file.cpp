#include <skua/core/kernel.hpp>
#include <skua/fs/file.hpp>

#include <fcntl.h>

#include <limits>
#include <tuple>
#include <utility>

namespace skua::fs {

namespace {

// The kernel's iovec is for both directions; a write does not touch the bytes.
Pieces pieces_of(ConstBuffer buffer) noexcept { return {const_cast<std::byte*>(buffer.data()), buffer.size()}; }
Pieces pieces_of(MutableBuffer buffer) noexcept { return {buffer.data(), buffer.size()}; }

}  // namespace

OpenOptions& OpenOptions::read(bool on) noexcept { return read_ = on, *this; }
OpenOptions& OpenOptions::write(bool on) noexcept { return write_ = on, *this; }
OpenOptions& OpenOptions::append(bool on) noexcept { return append_ = on, *this; }
OpenOptions& OpenOptions::truncate(bool on) noexcept { return truncate_ = on, *this; }
OpenOptions& OpenOptions::create(bool on) noexcept { return create_ = on, *this; }
OpenOptions& OpenOptions::create_new(bool on) noexcept { return create_new_ = on, *this; }
OpenOptions& OpenOptions::permissions(std::uint32_t mode) noexcept { return permissions_ = mode, *this; }
OpenOptions& OpenOptions::flags(int flags) noexcept { return flags_ = flags, *this; }

int OpenOptions::native_flags() const noexcept {
  const bool writes = write_ || append_;
  int flags = flags_ | (read_ && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY);
  if (append_) flags |= O_APPEND;
  if (truncate_) flags |= O_TRUNC;
  if (create_ || create_new_) flags |= O_CREAT;
  if (create_new_) flags |= O_EXCL;
  return flags;
}

OperationFuture<OpenOperation> File::open(const std::filesystem::path& path) {
  return open(path, OpenOptions().read(true));
}
OperationFuture<OpenOperation> File::create(const std::filesystem::path& path) {
  return open(path, OpenOptions().write(true).create(true).truncate(true));
}
OperationFuture<OpenOperation> File::open(const std::filesystem::path& path, const OpenOptions& options) {
  return OperationFuture(make_ref<OpenOperation>(path, options.native_flags(), options.permissions()));
}

File::File(OwnedFd fd, std::string name) : state_(make_ref<FileState>(std::move(fd), std::move(name))) {}

FileRead File::read_at(MutableBuffer buffer, std::uint64_t offset) const noexcept {
  return {state_, pieces_of(buffer), offset};
}
FileRead File::read_vectored_at(std::span<const iovec> parts, std::uint64_t offset) const noexcept {
  return {state_, Pieces(parts), offset};
}
FileWrite File::write_at(ConstBuffer buffer, std::uint64_t offset) const noexcept {
  return {state_, pieces_of(buffer), offset};
}
FileWrite File::write_vectored_at(std::span<const iovec> parts, std::uint64_t offset) const noexcept {
  return {state_, Pieces(parts), offset};
}

Task<Result<void>> File::write_all_at(ConstBuffer buffer, std::uint64_t offset) const {
  while (buffer.size() != 0) {
    const std::size_t count = co_await try_(write_at(buffer, offset));
    if (count == 0) co_return system_error(EIO, "write", path());
    buffer = buffer.after(count);
    offset += count;
  }
  co_return {};
}

CursorRead File::read(MutableBuffer buffer) noexcept { return {*this, buffer}; }
CursorWrite File::write(ConstBuffer buffer) noexcept { return {*this, buffer}; }

Task<Result<void>> File::write_all(ConstBuffer buffer) {
  while (buffer.size() != 0) {
    const std::size_t count = co_await try_(write(buffer));
    if (count == 0) co_return system_error(EIO, "write", path());
    buffer = buffer.after(count);
  }
  co_return {};
}

Poll<Result<void>> File::poll_unfinished(Context& context) {
  if (!unfinished_) return Result<void>();
  Poll<int> result = unfinished_->poll(context.waker());
  if (result.is_pending()) return pending;
  const Result<std::size_t> written = std::exchange(unfinished_, nullptr)->finish(std::move(result).take());
  if (!written) return Result<void>(written.error());
  position_ += *written;
  return Result<void>();
}

Poll<Result<std::size_t>> CursorRead::poll(Context& context) {
  if (!read_) {
    Poll<Result<void>> before = file_.poll_unfinished(context);
    if (before.is_pending()) return pending;
    if (!before.value()) return Result<std::size_t>(std::move(before.value()).error());
    read_.emplace(file_.read_at(into_, file_.position_));
  }
  Poll<Result<std::size_t>> count = read_->poll(context);
  if (count.is_ready() && count.value()) file_.position_ += *count.value();
  return count;
}

Poll<Result<std::size_t>> CursorWrite::poll(Context& context) {
  if (!operation_) {
    if (from_.size() == 0) return Result<std::size_t>(0);
    Poll<Result<void>> before = file_.poll_unfinished(context);
    if (before.is_pending()) return pending;
    if (!before.value()) return Result<std::size_t>(std::move(before.value()).error());
    if (!budget::take(context)) return pending;
    operation_ = make_ref<WriteOperation>(file_.state_, pieces_of(from_), file_.position_);
    reactor::Driver::current().operations().submit(operation_);
  }
  Poll<int> result = operation_->poll(context.waker());
  if (result.is_pending()) return pending;
  Result<std::size_t> count = std::exchange(operation_, nullptr)->finish(std::move(result).take());
  if (count) file_.position_ += *count;
  return count;
}

namespace {

/// Ready when no write of the file is unfinished.
template <class Poller>
class Settled {
 public:
  explicit Settled(Poller poller) : poller_(std::move(poller)) {}
  Poll<Result<void>> poll(Context& context) { return poller_(context); }

 private:
  Poller poller_;
};

/// Lets go of a file, and is ready when it has been closed. Dropped, it leaves the closing to itself.
class Closed {
 public:
  explicit Closed(Ref<FileState> file) : path_(file->path), file_(std::move(file)) {}
  Closed(Closed&& other) noexcept = default;
  ~Closed() {
    if (closing_) std::ignore = closing_->abandon();
  }

  Poll<Result<void>> poll(Context& context) {
    if (file_) {
      closing_ = make_ref<CloseOperation>();
      file_->close_by(Ref<reactor::OperationExecutor>::share(&reactor::Driver::current().operations()), closing_);
      file_ = nullptr;
    }
    Poll<int> result = closing_->poll(context.waker());
    if (result.is_pending()) return pending;
    const int error = std::move(result).take();
    if (error < 0) return Result<void>(system_error(-error, "close", path_));
    return Result<void>();
  }

 private:
  const std::string path_;
  Ref<FileState> file_;  // until the first poll
  Ref<CloseOperation> closing_;
};

}  // namespace

Task<Result<void>> File::flush() {
  Settled settled([this](Context& context) { return poll_unfinished(context); });
  co_return co_await settled;
}

Task<Result<std::uint64_t>> File::seek(std::int64_t offset, SeekFrom from) {
  co_await try_(flush());
  std::uint64_t base = 0;
  if (from == SeekFrom::current) base = position_;
  if (from == SeekFrom::end) {
    const Metadata now = co_await try_(metadata());
    base = now.size;
  }
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t back = offset < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(offset) : 0;
  const std::uint64_t ahead = offset < 0 ? 0 : static_cast<std::uint64_t>(offset);
  if (back > base || ahead > most - base) co_return system_error(EINVAL, "seek", path());
  position_ = base - back + ahead;
  co_return position_;
}

OperationFuture<FileCall> File::sync_all() const {
  return OperationFuture(make_ref<FileCall>(state_, FileCall::Kind::sync_all));
}
OperationFuture<FileCall> File::sync_data() const {
  return OperationFuture(make_ref<FileCall>(state_, FileCall::Kind::sync_data));
}
OperationFuture<FileCall> File::set_size(std::uint64_t bytes) const {
  return OperationFuture(make_ref<FileCall>(state_, FileCall::Kind::set_size, bytes));
}
OperationFuture<FileCall> File::set_permissions(std::uint32_t mode) const {
  return OperationFuture(make_ref<FileCall>(state_, FileCall::Kind::set_permissions, mode));
}
OperationFuture<StatOperation> File::metadata() const {
  return OperationFuture(make_ref<StatOperation>("metadata", state_, std::filesystem::path(), 0u));
}

Task<Result<void>> File::close() && {
  File file = std::move(*this);
  co_await try_(file.flush());
  Closed closed(std::exchange(file.state_, nullptr));
  co_return co_await closed;
}

}  // namespace skua::fs
