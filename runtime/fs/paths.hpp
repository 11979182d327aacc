// What is done to files and directories by name.
//
//   co_await try_(fs::create_directories("spool/new"));
//   co_await try_(fs::rename("spool/new/7", "spool/7"));
//
// Each is a future; where io_uring is used the kernel does it, else a thread of the blocking pool. Paths are taken
// relative to the current directory when the operation begins. Errors carry the operation and the paths.
//
// Cancel safety, unless stated: an operation that is dropped before it began does not happen; one that has begun does,
// or does not, and nobody hears which. Run on a worker or inside block_on().
#pragma once

#include <skua/blocking/operation_future.hpp>
#include <skua/core/task.hpp>
#include <skua/fs/metadata.hpp>
#include <skua/fs/path_operation.hpp>

#include <cstdint>
#include <filesystem>

namespace skua::fs {

using Path = std::filesystem::path;
using PathFuture = OperationFuture<PathOperation>;

/// Gives `from` the name `to`; what had that name is replaced, in one step. Within one file system
/// (cross_device_link otherwise).
PathFuture rename(const Path& from, const Path& to);
/// As rename(); file_exists if `to` exists.
PathFuture rename_new(const Path& from, const Path& to);
/// Removes the name of a file; its bytes go with the last name and the last open descriptor.
PathFuture remove_file(const Path& path);
/// Removes an empty directory (directory_not_empty otherwise).
PathFuture remove_directory(const Path& path);
/// `mode` is cut by the umask. file_exists if there is something of that name.
PathFuture create_directory(const Path& path, std::uint32_t mode = 0777);
/// Another name for a file.
PathFuture hard_link(const Path& existing, const Path& link);
/// `link` refers to `target`, which need not exist and is taken relative to the link's directory.
PathFuture symlink(const Path& target, const Path& link);

/// About the file, or what the symbolic link leads to.
OperationFuture<StatOperation> metadata(const Path& path);
/// About the link itself.
OperationFuture<StatOperation> symlink_metadata(const Path& path);
/// Whether there is something of that name; an error where that cannot be told (permission_denied).
Task<Result<bool>> exists(Path path);

/// The directory and those above it that are missing. Fine if it exists already.
Task<Result<void>> create_directories(Path path);
/// The file, or the directory with all that is in it; symbolic links are removed, not followed. How many were removed;
/// 0 if there was none. Not cancel safe: once begun it goes on to its end.
Task<Result<std::uint64_t>> remove_all(Path path);
/// The absolute path without links, "." and "..".
Task<Result<Path>> canonical(Path path);
/// What the symbolic link refers to.
Task<Result<Path>> read_link(Path path);
/// Permissions, e.g. 0644; of what a link leads to.
Task<Result<void>> set_permissions(Path path, std::uint32_t mode);

}  // namespace skua::fs
