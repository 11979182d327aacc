#include <skua/blocking/unblock.hpp>
#include <skua/core/kernel.hpp>
#include <skua/fs/paths.hpp>

#include <fcntl.h>
#include <linux/io_uring.h>

#include <system_error>
#include <utility>

namespace skua::fs {

namespace {

using reactor::Submission;
using Call = PathOperation::Call;

constexpr auto here = static_cast<std::uint32_t>(AT_FDCWD);  // a directory descriptor in a field without a sign
constexpr std::uint32_t rename_noreplace = 1;                // RENAME_NOREPLACE, which strict C++ headers hide

constexpr Call rename_call{
    .name = "rename",
    .submission = [](const PathOperation& of) noexcept -> Submission {
      return {.opcode = IORING_OP_RENAMEAT,
              .fd = AT_FDCWD,
              .off = address_of(of.second()),
              .addr = address_of(of.first()),
              .len = here,
              .op_flags = of.argument()};
    },
    .perform = [](const PathOperation& of) noexcept { return kernel::rename(of.first(), of.second(), of.argument()); }};

constexpr Call unlink_call(const char* name) {
  return {
      .name = name,
      .submission = [](const PathOperation& of) noexcept -> Submission {
        return {
            .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = address_of(of.first()), .op_flags = of.argument()};
      },
      .perform = [](const PathOperation& of) noexcept { return kernel::unlink(of.first(), of.argument()); }};
}
constexpr Call remove_file_call = unlink_call("remove_file");
constexpr Call remove_directory_call = unlink_call("remove_directory");

constexpr Call mkdir_call{
    .name = "create_directory",
    .submission = [](const PathOperation& of) noexcept -> Submission {
      return {.opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = address_of(of.first()), .len = of.argument()};
    },
    .perform = [](const PathOperation& of) noexcept { return kernel::mkdir(of.first(), of.argument()); }};

constexpr Call link_call{
    .name = "hard_link",
    .submission = [](const PathOperation& of) noexcept -> Submission {
      return {.opcode = IORING_OP_LINKAT,
              .fd = AT_FDCWD,
              .off = address_of(of.second()),
              .addr = address_of(of.first()),
              .len = here};
    },
    .perform = [](const PathOperation& of) noexcept { return kernel::link(of.first(), of.second()); }};

constexpr Call symlink_call{
    .name = "symlink",
    .submission = [](const PathOperation& of) noexcept -> Submission {
      return {.opcode = IORING_OP_SYMLINKAT,
              .fd = AT_FDCWD,
              .off = address_of(of.second()),
              .addr = address_of(of.first())};
    },
    .perform = [](const PathOperation& of) noexcept { return kernel::symlink(of.first(), of.second()); }};

PathFuture path_future(const Call& call, const Path& first, const Path& second = {}, std::uint32_t argument = 0) {
  return PathFuture(make_ref<PathOperation>(call, first, second, argument));
}

OperationFuture<StatOperation> stat_future(const char* name, const Path& path, std::uint32_t flags) {
  return OperationFuture(make_ref<StatOperation>(name, nullptr, path, flags));
}

/// Calls `call(code)` on a thread that may block: what std::filesystem does in several steps. It goes on when the task
/// has been dropped, so `call` owns what it uses.
template <class F>
auto in_pool(const char* operation, Path path, F call) {
  return unblock([=] {
    std::error_code code;
    using Value = decltype(call(path, code));
    Value value = call(path, code);
    return code ? Result<Value>(Error(code, operation, path.native())) : Result<Value>(std::move(value));
  });
}

}  // namespace

PathFuture rename(const Path& from, const Path& to) { return path_future(rename_call, from, to); }
PathFuture rename_new(const Path& from, const Path& to) { return path_future(rename_call, from, to, rename_noreplace); }
PathFuture remove_file(const Path& path) { return path_future(remove_file_call, path); }
PathFuture remove_directory(const Path& path) { return path_future(remove_directory_call, path, {}, AT_REMOVEDIR); }
PathFuture create_directory(const Path& path, std::uint32_t mode) { return path_future(mkdir_call, path, {}, mode); }
PathFuture hard_link(const Path& existing, const Path& link) { return path_future(link_call, existing, link); }
PathFuture symlink(const Path& target, const Path& link) { return path_future(symlink_call, target, link); }

OperationFuture<StatOperation> metadata(const Path& path) { return stat_future("metadata", path, 0); }
OperationFuture<StatOperation> symlink_metadata(const Path& path) {
  return stat_future("symlink_metadata", path, AT_SYMLINK_NOFOLLOW);
}

Task<Result<bool>> exists(Path path) {
  const auto found = co_await symlink_metadata(path);
  if (found) co_return true;
  const Error& error = found.error();
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) co_return false;
  co_return error;
}

Task<Result<void>> create_directories(Path path) {
  auto done = in_pool("create_directories", std::move(path), [](const Path& at, std::error_code& code) {
    return std::filesystem::create_directories(at, code);
  });
  co_await try_(done);
  co_return {};
}

Task<Result<std::uint64_t>> remove_all(Path path) {
  auto done = in_pool("remove_all", std::move(path), [](const Path& at, std::error_code& code) {
    return std::uint64_t{std::filesystem::remove_all(at, code)};
  });
  co_return co_await done;
}

Task<Result<Path>> canonical(Path path) {
  auto done = in_pool("canonical", std::move(path),
                      [](const Path& at, std::error_code& code) { return std::filesystem::canonical(at, code); });
  co_return co_await done;
}

Task<Result<Path>> read_link(Path path) {
  auto done = in_pool("read_link", std::move(path),
                      [](const Path& at, std::error_code& code) { return std::filesystem::read_symlink(at, code); });
  co_return co_await done;
}

Task<Result<void>> set_permissions(Path path, std::uint32_t mode) {
  auto done = in_pool("set_permissions", std::move(path), [mode](const Path& at, std::error_code& code) {
    std::filesystem::permissions(at, static_cast<std::filesystem::perms>(mode), code);
    return true;
  });
  co_await try_(done);
  co_return {};
}

}  // namespace skua::fs
