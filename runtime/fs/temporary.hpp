// TemporaryFile and TemporaryDirectory: with a name of their own, and gone with their owner.
//
// The names end in 16 random characters; a name that exists is not taken. Dropping the owner removes the file or the
// directory at once, on the dropping thread (a process that is killed leaves them behind).
#pragma once

#include <skua/core/task.hpp>
#include <skua/fs/file.hpp>

#include <cstdint>
#include <filesystem>
#include <utility>

namespace skua::fs {

/// A path that is removed, with all in it, when its owner goes.
class RemovedPath {
 public:
  explicit RemovedPath(std::filesystem::path path) noexcept : path_(std::move(path)) {}
  RemovedPath(RemovedPath&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  RemovedPath& operator=(RemovedPath&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~RemovedPath();

  const std::filesystem::path& get() const noexcept { return path_; }
  std::filesystem::path release() noexcept { return std::exchange(path_, {}); }

 private:
  std::filesystem::path path_;  // empty: nothing to remove
};

class TemporaryFile {
 public:
  /// In $TMPDIR, or /tmp. For its owner only (0600), open for reading and writing. Cancel safety: no file is left
  /// behind.
  static Task<Result<TemporaryFile>> create();
  /// In that directory; empty: the current one. `permissions` are cut by the umask.
  static Task<Result<TemporaryFile>> create_in(std::filesystem::path directory, std::uint32_t permissions = 0600);

  File& file() noexcept { return file_; }
  const std::filesystem::path& path() const noexcept { return path_.get(); }

  /// Gives it the name `to`, which it keeps; a file of that name is replaced in one step. Within one file system.
  Task<Result<File>> persist(std::filesystem::path to) &&;

 private:
  TemporaryFile(RemovedPath path, File file) noexcept : path_(std::move(path)), file_(std::move(file)) {}
  RemovedPath path_;
  File file_;
};

class TemporaryDirectory {
 public:
  /// In $TMPDIR, or /tmp; for its owner only (0700).
  static Task<Result<TemporaryDirectory>> create();
  static Task<Result<TemporaryDirectory>> create_in(std::filesystem::path directory);

  const std::filesystem::path& path() const noexcept { return path_.get(); }
  /// Removes it now, and says whether that went well.
  Task<Result<void>> remove() &&;

 private:
  explicit TemporaryDirectory(RemovedPath path) noexcept : path_(std::move(path)) {}
  RemovedPath path_;
};

}  // namespace skua::fs
