#include <skua/blocking/unblock.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/random.hpp>
#include <skua/fs/paths.hpp>
#include <skua/fs/temporary.hpp>

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace skua::fs {

namespace {

constexpr int most_tries = 16;  // names are random: two alike are a sign of something else

std::filesystem::path default_directory() {
  const char* const set = std::getenv("TMPDIR");
  return set == nullptr || *set == '\0' ? "/tmp" : set;
}

// What is to be removed is found again wherever the process stands by then.
std::filesystem::path made_absolute(std::filesystem::path directory) {
  if (directory.empty()) directory = ".";
  std::error_code code;
  std::filesystem::path whole = std::filesystem::absolute(directory, code);
  return code ? directory : whole;
}

std::string random_name() {
  constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string name = ".skua-";
  for (int word = 0; word < 2; ++word) {
    std::uint64_t bits = seam::random_seed();  // of the kernel: not to be guessed
    for (int i = 0; i < 8; ++i, bits >>= 5) name += letters[bits & 31];
  }
  return name;
}

struct CreatedFile {
  CreatedFile(RemovedPath made, OwnedFd opened) noexcept : path(std::move(made)), fd(std::move(opened)) {}
  RemovedPath path;
  OwnedFd fd;
};

// Each runs on a thread of the pool: when nobody waits for it any more, what it returns removes what it made.
Result<CreatedFile> create_file(const std::filesystem::path& directory, std::uint32_t permissions) {
  int result = 0;
  for (int i = 0; i < most_tries; ++i) {
    std::filesystem::path path = directory / random_name();
    result = kernel::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    if (result >= 0) return CreatedFile(RemovedPath(std::move(path)), OwnedFd(result));
    if (result != -EEXIST) break;
  }
  return system_error(-result, "create a temporary file in", directory.native());
}

Result<RemovedPath> create_directory_in(const std::filesystem::path& directory) {
  int result = 0;
  for (int i = 0; i < most_tries; ++i) {
    std::filesystem::path path = directory / random_name();
    result = kernel::mkdir(path.c_str(), 0700);
    if (result >= 0) return RemovedPath(std::move(path));
    if (result != -EEXIST) break;
  }
  return system_error(-result, "create a temporary directory in", directory.native());
}

}  // namespace

RemovedPath::~RemovedPath() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Task<Result<TemporaryFile>> TemporaryFile::create() { return create_in(default_directory()); }

Task<Result<TemporaryFile>> TemporaryFile::create_in(std::filesystem::path directory, std::uint32_t permissions) {
  auto create = [directory = made_absolute(std::move(directory)), permissions] {
    return create_file(directory, permissions);
  };
  auto creating = unblock(std::move(create));
  CreatedFile created = co_await try_(creating);
  File file(std::move(created.fd), created.path.get().native());
  co_return TemporaryFile(std::move(created.path), std::move(file));
}

Task<Result<File>> TemporaryFile::persist(std::filesystem::path to) && {
  TemporaryFile self = std::move(*this);
  co_await try_(fs::rename(self.path(), to));
  std::ignore = self.path_.release();
  co_return std::move(self.file_);
}

Task<Result<TemporaryDirectory>> TemporaryDirectory::create() { return create_in(default_directory()); }

Task<Result<TemporaryDirectory>> TemporaryDirectory::create_in(std::filesystem::path directory) {
  auto create = [directory = made_absolute(std::move(directory))] { return create_directory_in(directory); };
  auto creating = unblock(std::move(create));
  co_return TemporaryDirectory(co_await try_(creating));
}

Task<Result<void>> TemporaryDirectory::remove() && {
  TemporaryDirectory self = std::move(*this);
  co_await try_(fs::remove_all(self.path()));
  std::ignore = self.path_.release();
  co_return {};
}

}  // namespace skua::fs
