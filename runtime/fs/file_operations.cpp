#include <skua/core/kernel.hpp>
#include <skua/fs/file.hpp>
#include <skua/fs/file_operations.hpp>
#include <skua/fs/path_operation.hpp>

#include <fcntl.h>
#include <linux/io_uring.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace skua::fs {

namespace {

constexpr std::size_t most_bytes_at_once = 256 * 1024;  // copied by the worker itself: some 50 us
constexpr std::size_t most_parts_at_once = 16;

// Beyond, the kernel takes it for "where the file stands" or for an error, depending on the call.
bool is_offset(std::uint64_t offset) noexcept {
  return offset <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

std::size_t bytes_of_a_call(const Pieces& pieces) noexcept { return std::min(pieces.size(), most_bytes_a_call); }

Result<std::size_t> counted(int result, const char* name, const FileState& file) {
  if (result < 0) return system_error(-result, name, file.path);
  return static_cast<std::size_t>(result);
}

}  // namespace

std::size_t Pieces::size() const noexcept {
  std::size_t total = 0;
  for (const iovec& part : parts()) total += part.iov_len;
  return total;
}

// --- open

std::optional<reactor::Submission> OpenOperation::submission() noexcept {
  if (!is_whole(path_)) return std::nullopt;
  return reactor::Submission{.opcode = IORING_OP_OPENAT,
                             .fd = AT_FDCWD,
                             .addr = address_of(path_.c_str()),
                             .len = mode_,
                             .op_flags = static_cast<std::uint32_t>(flags_ | O_CLOEXEC)};
}

int OpenOperation::perform() noexcept {
  return is_whole(path_) ? kernel::open(path_.c_str(), flags_ | O_CLOEXEC, mode_) : -EINVAL;
}

void OpenOperation::discard(int result) noexcept {
  if (result >= 0) kernel::close(result);
}

Result<File> OpenOperation::finish(int result) {
  if (result < 0) return system_error(-result, "open", path_);
  return File(OwnedFd(result), path_);
}

// --- read

ReadOperation::ReadOperation(Ref<FileState> file, const Pieces& into, std::uint64_t offset)
    : file_(std::move(file)), into_(into), offset_(offset), buffer_(bytes_of_a_call(into)) {}

std::optional<reactor::Submission> ReadOperation::submission() noexcept {
  if (!is_offset(offset_)) return std::nullopt;
  return reactor::Submission{.opcode = IORING_OP_READ,
                             .fd = file_->fd.get(),
                             .off = offset_,
                             .addr = address_of(buffer_.data()),
                             .len = static_cast<std::uint32_t>(buffer_.size())};
}

int ReadOperation::perform() noexcept {
  const ssize_t count = kernel::pread(file_->fd.get(), buffer_.data(), buffer_.size(), offset_);
  if (count != -ESPIPE) return static_cast<int>(count);
  return static_cast<int>(kernel::read(file_->fd.get(), buffer_.data(), buffer_.size()));  // as io_uring does
}

Result<std::size_t> ReadOperation::finish(int result) {
  if (result > 0) buffer_.scatter(into_.parts(), static_cast<std::size_t>(result));
  return counted(result, "read", *std::exchange(file_, nullptr));
}

Poll<Result<std::size_t>> FileRead::poll(Context& context) {
  if (!waiting_) {
    if (into_.size() == 0) return Result<std::size_t>(0);
    if (!budget::take(context)) return pending;
    if (auto result = read_now()) return *std::move(result);
    waiting_.emplace(make_ref<ReadOperation>(file_, into_, offset_));
  }
  return waiting_->poll(context);
}

std::optional<Result<std::size_t>> FileRead::read_now() const {
  // relaxed: a hint
  if (!file_->answers_at_once.load(std::memory_order_relaxed) || !is_offset(offset_)) return std::nullopt;
  std::array<iovec, most_parts_at_once> parts;
  std::size_t count = 0;
  std::size_t room = most_bytes_at_once;
  for (const iovec& part : into_.parts()) {
    if (count == parts.size() || room == 0) break;
    if (part.iov_len == 0) continue;  // nothing but such would read as the end of the file
    parts[count] = {part.iov_base, std::min(part.iov_len, room)};
    room -= parts[count++].iov_len;
  }
  const ssize_t result = kernel::preadv_now(file_->fd.get(), parts.data(), count, offset_);
  if (result == -EAGAIN || result == -EINTR) return std::nullopt;
  if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EPERM || result == -ESPIPE) {
    file_->answers_at_once.store(false, std::memory_order_relaxed);  // relaxed: a hint
    return std::nullopt;
  }
  return counted(static_cast<int>(result), "read", *file_);
}

// --- write

WriteOperation::WriteOperation(Ref<FileState> file, const Pieces& from, std::uint64_t offset)
    : file_(std::move(file)), offset_(offset), buffer_(bytes_of_a_call(from)) {
  buffer_.gather(from.parts());
}

std::optional<reactor::Submission> WriteOperation::submission() noexcept {
  if (!is_offset(offset_)) return std::nullopt;
  return reactor::Submission{.opcode = IORING_OP_WRITE,
                             .fd = file_->fd.get(),
                             .off = offset_,
                             .addr = address_of(buffer_.data()),
                             .len = static_cast<std::uint32_t>(buffer_.size())};
}

int WriteOperation::perform() noexcept {
  const ssize_t count = kernel::pwrite(file_->fd.get(), buffer_.data(), buffer_.size(), offset_);
  if (count != -ESPIPE) return static_cast<int>(count);
  // As io_uring does. The signal of a pipe without readers stays pending: this is a thread of the runtime.
  return static_cast<int>(kernel::write(file_->fd.get(), buffer_.data(), buffer_.size()));
}

Result<std::size_t> WriteOperation::finish(int result) {
  return counted(result, "write", *std::exchange(file_, nullptr));
}

Poll<Result<std::size_t>> FileWrite::poll(Context& context) {
  if (!waiting_) {
    if (from_.size() == 0) return Result<std::size_t>(0);
    waiting_.emplace(make_ref<WriteOperation>(file_, from_, offset_));
  }
  return waiting_->poll(context);
}

// --- sync, size, permissions

std::optional<reactor::Submission> FileCall::submission() noexcept {
  constexpr std::uint8_t ftruncate_opcode = 55;  // IORING_OP_FTRUNCATE, of Linux 6.9
  const int fd = file_->fd.get();
  switch (kind_) {
    case Kind::sync_all: return reactor::Submission{.opcode = IORING_OP_FSYNC, .fd = fd};
    case Kind::sync_data:
      return reactor::Submission{.opcode = IORING_OP_FSYNC, .fd = fd, .op_flags = IORING_FSYNC_DATASYNC};
    case Kind::set_size:
      if (!is_offset(argument_)) return std::nullopt;
      return reactor::Submission{.opcode = ftruncate_opcode, .fd = fd, .off = argument_};
    case Kind::set_permissions: return std::nullopt;
  }
  return std::nullopt;
}

int FileCall::perform() noexcept {
  const int fd = file_->fd.get();
  switch (kind_) {
    case Kind::sync_all: return kernel::fsync(fd, false);
    case Kind::sync_data: return kernel::fsync(fd, true);
    case Kind::set_size: return kernel::ftruncate(fd, argument_);
    case Kind::set_permissions: return kernel::fchmod(fd, static_cast<std::uint32_t>(argument_));
  }
  return -EINVAL;
}

Result<void> FileCall::finish(int result) {
  constexpr const char* names[] = {"sync_all", "sync_data", "set_size", "set_permissions"};
  const Ref<FileState> file = std::exchange(file_, nullptr);
  if (result < 0) return system_error(-result, names[static_cast<int>(kind_)], file->path);
  return {};
}

}  // namespace skua::fs
