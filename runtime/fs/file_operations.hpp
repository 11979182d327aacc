// The operations on files: what is handed to the kernel or to a thread, and the futures of reading and writing.
//
// Bytes go through a block of the operation's own, so that a future can be dropped at any moment while the kernel
// writes. What the page cache holds is read straight into the caller's buffer, by a call that does not wait.
//
// An operation keeps its file open until the kernel is done with it and, if anybody waits for it, until he has the
// result: a File that is dropped after its operations were awaited is closed at once.
#pragma once

#include <skua/blocking/operation_future.hpp>
#include <skua/fs/file_state.hpp>
#include <skua/fs/io_buffer.hpp>
#include <skua/io/buffer.hpp>

#include <sys/uio.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace skua::fs {

class File;

/// The most that one read or write moves, in bytes; longer ones are short.
inline constexpr std::size_t most_bytes_a_call = std::size_t{1} << 20;

class OpenOperation final : public reactor::Operation {
 public:
  OpenOperation(const std::filesystem::path& path, int flags, std::uint32_t mode)
      : path_(path.native()), flags_(flags), mode_(mode) {}

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<File> finish(int result);

 private:
  void discard(int result) noexcept override;

  const std::string path_;
  const int flags_;
  const std::uint32_t mode_;
};

/// The pieces of a caller's memory: one, or a list.
class Pieces {
 public:
  Pieces(void* data, std::size_t size) noexcept : single_{data, size} {}
  explicit Pieces(std::span<const iovec> parts) noexcept : parts_(parts), is_list_(true) {}

  std::span<const iovec> parts() const noexcept { return is_list_ ? parts_ : std::span(&single_, 1); }
  std::size_t size() const noexcept;

 private:
  iovec single_{};
  std::span<const iovec> parts_;
  bool is_list_ = false;
};

class ReadOperation final : public reactor::Operation {
 public:
  ReadOperation(Ref<FileState> file, const Pieces& into, std::uint64_t offset);

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<std::size_t> finish(int result);

 private:
  Ref<FileState> file_;  // until finish()
  const Pieces into_;    // the future's: touched by finish() alone
  const std::uint64_t offset_;
  IoBuffer buffer_;
};

class WriteOperation final : public reactor::Operation {
 public:
  /// Copies what is to be written.
  WriteOperation(Ref<FileState> file, const Pieces& from, std::uint64_t offset);

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<std::size_t> finish(int result);

 private:
  Ref<FileState> file_;  // until finish()
  const std::uint64_t offset_;
  IoBuffer buffer_;
};

/// fsync(), fdatasync(), ftruncate(), fchmod().
class FileCall final : public reactor::Operation {
 public:
  enum class Kind { sync_all, sync_data, set_size, set_permissions };
  FileCall(Ref<FileState> file, Kind kind, std::uint64_t argument = 0) noexcept
      : file_(std::move(file)), kind_(kind), argument_(argument) {}

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<void> finish(int result);

 private:
  Ref<FileState> file_;  // until finish()
  const Kind kind_;
  const std::uint64_t argument_;  // size or permissions
};

/// Reads at an offset. Ready with how many bytes came, at least one; 0 at the end of the file.
class [[nodiscard]] FileRead {
 public:
  FileRead(Ref<FileState> file, const Pieces& into, std::uint64_t offset) noexcept
      : file_(std::move(file)), into_(into), offset_(offset) {}

  Poll<Result<std::size_t>> poll(Context& context);

 private:
  std::optional<Result<std::size_t>> read_now() const;

  const Ref<FileState> file_;
  const Pieces into_;
  const std::uint64_t offset_;
  std::optional<OperationFuture<ReadOperation>> waiting_;
};

/// Writes at an offset. Ready with how many bytes were written: at least one, perhaps not all.
class [[nodiscard]] FileWrite {
 public:
  FileWrite(Ref<FileState> file, const Pieces& from, std::uint64_t offset) noexcept
      : file_(std::move(file)), from_(from), offset_(offset) {}

  Poll<Result<std::size_t>> poll(Context& context);

 private:
  const Ref<FileState> file_;
  const Pieces from_;
  const std::uint64_t offset_;
  std::optional<OperationFuture<WriteOperation>> waiting_;
};

}  // namespace skua::fs
