// ReadDirectory: the entries of a directory, one after the other.
//
//   fs::ReadDirectory directory = co_await try_(fs::ReadDirectory::open("spool"));
//   while (auto entry = co_await try_(directory.next())) use(entry->name);
//
// Read by threads of the blocking pool, some hundred entries at a time; in no order; without "." and "..".
#pragma once

#include <skua/blocking/operation_future.hpp>
#include <skua/core/task.hpp>
#include <skua/fs/file_state.hpp>
#include <skua/fs/metadata.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace skua::fs {

struct DirectoryEntry {
  std::string name;
  /// What it is, where the file system says so without being asked; FileType::unknown: see metadata().
  FileType type = FileType::unknown;
  std::uint64_t inode = 0;
};

/// getdents(): the next entries of a directory.
class EntriesOperation final : public reactor::Operation {
 public:
  explicit EntriesOperation(Ref<FileState> directory) noexcept : directory_(std::move(directory)) {}

  struct Read {
    Read(std::vector<DirectoryEntry> some, bool end) noexcept : entries(std::move(some)), at_end(end) {}
    std::vector<DirectoryEntry> entries;
    bool at_end;
  };

  int perform() noexcept override;
  Result<Read> finish(int result);

 private:
  static constexpr std::size_t buffer_size = 32 * 1024;

  Ref<FileState> directory_;  // until finish()
  std::vector<DirectoryEntry> entries_;
};

class NextEntry;

class ReadDirectory {
 public:
  /// Errors: no_such_file_or_directory, not_a_directory, permission_denied.
  static Task<Result<ReadDirectory>> open(std::filesystem::path path);

  /// The next entry; none at the end. Whether entries that come or go meanwhile are seen is not determined.
  /// Cancel safety: nothing is lost.
  NextEntry next() noexcept;

  const std::string& path() const noexcept { return directory_->path; }

 private:
  friend class NextEntry;
  explicit ReadDirectory(Ref<FileState> directory) noexcept : directory_(std::move(directory)) {}

  Ref<FileState> directory_;
  std::vector<DirectoryEntry> entries_;
  std::size_t next_ = 0;  // of entries_
  bool at_end_ = false;
  std::unique_ptr<OperationFuture<EntriesOperation>> reading_;  // begun by a next(), which may have been dropped
};

class [[nodiscard]] NextEntry {
 public:
  explicit NextEntry(ReadDirectory& directory) noexcept : directory_(directory) {}
  Poll<Result<std::optional<DirectoryEntry>>> poll(Context& context);

 private:
  ReadDirectory& directory_;
};

}  // namespace skua::fs
