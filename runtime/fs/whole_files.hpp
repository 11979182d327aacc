// Whole files: read, written or copied in one go.
//
//   std::string text = co_await try_(fs::read_to_string("config.toml"));
//   co_await try_(fs::write_file("state.json", json));
#pragma once

#include <skua/core/task.hpp>
#include <skua/fs/file.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace skua::fs {

/// The most that read_to_string() takes unless it is told otherwise, in bytes.
inline constexpr std::size_t default_read_limit = std::size_t{64} << 20;

/// The bytes of a file. file_too_large if they are more than `limit`. Cancel safety: nothing to lose.
Task<Result<std::string>> read_to_string(std::filesystem::path path, std::size_t limit = default_read_limit);

/// Creates the file or replaces what is in it. Whoever reads meanwhile may see a part: see write_file_atomically().
/// `bytes` are copied. Not cancel safe: a part may have been written.
Task<Result<void>> write_file(std::filesystem::path path, ConstBuffer bytes);

/// Writes to a new file beside it, brings that to the disk, and gives it the name: after a crash there is the old file
/// or the new one, whole. It gets the permissions of the file that it replaces, but not its owner or other names; a
/// symbolic link of that name is replaced itself. Cancel safety: the old one or the new one.
Task<Result<void>> write_file_atomically(std::filesystem::path path, ConstBuffer bytes);

/// Copies bytes and permissions; `to` is created, or what is in it replaced. Symbolic links are followed. Ready with
/// how many bytes. The kernel copies (or shares the blocks, where the file system can). is_a_directory if `from` is
/// one. Not cancel safe: stops between two pieces of 16 MiB.
Task<Result<std::uint64_t>> copy_file(std::filesystem::path from, std::filesystem::path to);

}  // namespace skua::fs
