// Metadata: what is known of a file without reading it.
#pragma once

#include <skua/core/result.hpp>
#include <skua/fs/file_state.hpp>
#include <skua/fs/path_operation.hpp>
#include <skua/reactor/operation.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

struct statx;

namespace skua::fs {

enum class FileType { regular, directory, symlink, fifo, socket, character_device, block_device, unknown };

struct Metadata {
  using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

  Metadata() = default;
  explicit Metadata(const struct statx& native) noexcept;

  bool is_regular() const noexcept { return type == FileType::regular; }
  bool is_directory() const noexcept { return type == FileType::directory; }
  bool is_symlink() const noexcept { return type == FileType::symlink; }

  FileType type = FileType::unknown;
  std::uint64_t size = 0;         // bytes
  std::uint64_t disk_size = 0;    // bytes it takes on the disk
  std::uint32_t permissions = 0;  // 07777
  std::uint32_t links = 0;        // names
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  Time modified{};
  Time accessed{};
  Time changed{};  // the metadata itself
};

/// The type that a st_mode tells.
FileType type_of_mode(std::uint32_t mode) noexcept;

/// statx(): the kernel writes into a block of its own.
class StatOperation final : public reactor::Operation {
 public:
  /// Of `file`, or if that is null of `path`.
  StatOperation(const char* name, Ref<FileState> file, const std::filesystem::path& path, std::uint32_t flags);
  ~StatOperation() override;

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<Metadata> finish(int result);

 private:
  int fd() const noexcept;

  const char* const name_;
  Ref<FileState> file_;  // until finish()
  const std::string path_;
  const std::uint32_t flags_;
  struct statx* const native_;
};

}  // namespace skua::fs
