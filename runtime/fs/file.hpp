// File: an open file.
//
//   fs::File file = co_await try_(fs::File::open("data.bin"));
//   std::array<char, 4096> buffer;
//   std::size_t n = co_await try_(file.read_at(buffer, 8192));   // 0: the end of the file
//
// Two ways: read_at() and write_at() say where, and any number of them may be in flight at once, from any tasks.
// read(), write() and seek() go on from a position that the File keeps; they belong to one task at a time.
//
// Done by io_uring, or by threads of the blocking pool; a read that the page cache can answer is done at once, by the
// polling thread. Errors carry the operation and the path.
//
// Dropping a File closes it, once the operations in flight have ended; errors of closing (a full network disk) show
// only in close(). What was written is the kernel's: sync_all() brings it to the disk.
//
// A File is for files that answer by themselves. Opening a FIFO may wait for its other end (on epoll it does); a read
// from it, or from a terminal, waits for bytes, which are lost if it is dropped when they come. And on epoll a thread of
// the pool waits there, which nothing can end: ~Runtime() waits too. There are Pipe, Fifo and AsyncFd for those. Of a
// file without offsets the offset is ignored.
//
// A write beyond the limit RLIMIT_FSIZE fails with file_too_large; the signal SIGXFSZ does not reach the program.
#pragma once

#include <skua/blocking/operation_future.hpp>
#include <skua/core/task.hpp>
#include <skua/fs/file_operations.hpp>
#include <skua/fs/metadata.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/owned_fd.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace skua::fs {

/// How a file is opened. The setters return the object: OpenOptions().write(true).create(true).
class OpenOptions {
 public:
  /// Nothing is allowed, nothing created: one of read(), write() and append() must be asked for.
  OpenOptions() = default;

  OpenOptions& read(bool on) noexcept;
  OpenOptions& write(bool on) noexcept;
  /// Each write goes to the end of the file, whatever others write meanwhile, and whatever position it names.
  OpenOptions& append(bool on) noexcept;
  /// Cuts the file to nothing.
  OpenOptions& truncate(bool on) noexcept;
  /// Creates the file if there is none.
  OpenOptions& create(bool on) noexcept;
  /// Creates the file; file_exists if there is one.
  OpenOptions& create_new(bool on) noexcept;
  /// Permissions of a file that is created, cut by the umask. Default 0666.
  OpenOptions& permissions(std::uint32_t mode) noexcept;
  /// More flags of open(2), e.g. O_NOFOLLOW.
  OpenOptions& flags(int flags) noexcept;

  /// For open(2).
  int native_flags() const noexcept;
  std::uint32_t permissions() const noexcept { return permissions_; }

 private:
  bool read_ = false;
  bool write_ = false;
  bool append_ = false;
  bool truncate_ = false;
  bool create_ = false;
  bool create_new_ = false;
  std::uint32_t permissions_ = 0666;
  int flags_ = 0;
};

enum class SeekFrom { begin, current, end };

class CursorRead;
class CursorWrite;

class File {
 public:
  /// For reading. Errors: no_such_file_or_directory, permission_denied, ... Cancel safety: a file that is opened all
  /// the same is closed.
  static OperationFuture<OpenOperation> open(const std::filesystem::path& path);
  /// For writing; what there was is cut to nothing.
  static OperationFuture<OpenOperation> create(const std::filesystem::path& path);
  static OperationFuture<OpenOperation> open(const std::filesystem::path& path, const OpenOptions& options);

  /// Takes over an open file; `name` is for messages.
  explicit File(OwnedFd fd, std::string name = {});
  File(File&& other) noexcept = default;
  File& operator=(File&& other) noexcept = default;

  /// Reads from `offset` (below 2^63: invalid_argument) on, whatever the position. Ready with how many bytes came: at
  /// least one, 1 MiB at most; 0 at the end of the file (or for an empty buffer). Cancel safety: nothing is lost;
  /// `buffer` is not touched after the drop.
  FileRead read_at(MutableBuffer buffer, std::uint64_t offset) const noexcept;
  FileRead read_vectored_at(std::span<const iovec> parts, std::uint64_t offset) const noexcept;
  /// Writes at `offset`; beyond the end, the gap reads as zeros. Ready with how many bytes were written: at least one,
  /// 1 MiB at most. Cancel safety: the bytes, a part or none of them are written, perhaps after the drop.
  FileWrite write_at(ConstBuffer buffer, std::uint64_t offset) const noexcept;
  FileWrite write_vectored_at(std::span<const iovec> parts, std::uint64_t offset) const noexcept;
  /// All bytes. As write_at().
  Task<Result<void>> write_all_at(ConstBuffer buffer, std::uint64_t offset) const;

  /// As read_at() at the position, which moves on by what was read. Cancel safety: no bytes are lost.
  CursorRead read(MutableBuffer buffer) noexcept;
  /// As write_at() at the position, which moves on by what was written. Cancel safety: a write that was begun goes on,
  /// unless the runtime is shut down; the next operation at the position waits for it, and reports its error.
  CursorWrite write(ConstBuffer buffer) noexcept;
  /// All bytes. Cancel safety: an unknown part is written; the position is after it.
  Task<Result<void>> write_all(ConstBuffer buffer);
  /// Moves the position, and is ready with the new one. invalid_argument if it would be negative.
  Task<Result<std::uint64_t>> seek(std::int64_t offset, SeekFrom from = SeekFrom::begin);
  /// Waits for a write that was dropped, and reports its error. All other writes have reached the kernel when they are
  /// ready: sync_all() is what brings them to the disk.
  Task<Result<void>> flush();

  /// Brings all that was written to the disk: bytes and metadata; sync_data(): the bytes and what is needed to find
  /// them. Cancel safety: as if it had not been asked for.
  OperationFuture<FileCall> sync_all() const;
  OperationFuture<FileCall> sync_data() const;
  /// Cuts the file, or extends it by zeros. The position stays.
  OperationFuture<FileCall> set_size(std::uint64_t bytes) const;
  /// As fs::set_permissions(), of this file, whatever its name leads to by now.
  OperationFuture<FileCall> set_permissions(std::uint32_t mode) const;
  OperationFuture<StatOperation> metadata() const;
  /// Closes the file, after the operations in flight on it have ended (also those that were dropped), and reports what
  /// the file system still had to say. Cancel safety: it is closed all the same.
  Task<Result<void>> close() &&;

  int native_handle() const noexcept { return state_->fd.get(); }
  /// For what is built on files.
  const Ref<FileState>& state() const noexcept { return state_; }
  const std::string& path() const noexcept { return state_->path; }

 private:
  friend class CursorRead;
  friend class CursorWrite;

  /// Pending while a write that was dropped goes on; else its error, if it has one.
  Poll<Result<void>> poll_unfinished(Context& context);

  Ref<FileState> state_;
  std::uint64_t position_ = 0;
  Ref<WriteOperation> unfinished_;  // dropped, and perhaps not complete
};

/// Reads at the file's position. See File::read().
class [[nodiscard]] CursorRead {
 public:
  CursorRead(File& file, MutableBuffer into) noexcept : file_(file), into_(into) {}
  Poll<Result<std::size_t>> poll(Context& context);

 private:
  File& file_;
  const MutableBuffer into_;
  std::optional<FileRead> read_;
};

/// Writes at the file's position. See File::write().
class [[nodiscard]] CursorWrite {
 public:
  CursorWrite(File& file, ConstBuffer from) noexcept : file_(file), from_(from) {}
  /// Only before the first poll, as with every future.
  CursorWrite(CursorWrite&& other) noexcept : file_(other.file_), from_(other.from_) { SKUA_ASSERT(!other.operation_); }
  ~CursorWrite() {
    if (operation_) file_.unfinished_ = std::move(operation_);
  }
  Poll<Result<std::size_t>> poll(Context& context);

 private:
  File& file_;
  const ConstBuffer from_;
  Ref<WriteOperation> operation_;  // in flight
};

}  // namespace skua::fs
