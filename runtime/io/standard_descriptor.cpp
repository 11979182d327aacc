#include <skua/core/kernel.hpp>
#include <skua/io/pollable.hpp>
#include <skua/io/standard_descriptor.hpp>

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <array>
#include <utility>

namespace skua {

namespace {

bool is_open(int fd) noexcept { return kernel::fcntl(fd, F_GETFD) >= 0; }

// Before main(): later a descriptor of ours may have taken the number.
const std::array<bool, 3> open_at_start{is_open(0), is_open(1), is_open(2)};

bool can_be_opened_again(int fd, const struct stat& status) noexcept {
  if (S_ISFIFO(status.st_mode)) return true;
  if (!S_ISCHR(status.st_mode) || kernel::isatty(fd) != 1) return false;
  // The master of a pseudo-terminal: opening it makes another terminal.
  return status.st_rdev != makedev(5, 2);
}

OwnedFd open_again(int fd) {
  const int mode = fd == 0 ? O_RDONLY : O_WRONLY;
  const std::string path = std::string("/proc/self/fd/") + std::to_string(fd);
  return OwnedFd(kernel::open(path.c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

const char* name_of(StandardStream stream) noexcept {
  static constexpr std::array<const char*, 3> names{"standard input", "standard output", "standard error"};
  return names[static_cast<std::size_t>(stream)];
}

Error error_of(StandardStream stream, const Error& error, const char* operation) {
  return Error(error.code(), operation, name_of(stream));
}

Result<StandardDescriptor> StandardDescriptor::open(StandardStream stream) {
  const int number = static_cast<int>(stream);
  struct stat status{};
  const int error = open_at_start[static_cast<std::size_t>(stream)] ? kernel::fstat(number, &status) : -EBADF;
  if (error < 0) return system_error(-error, "open", name_of(stream));
  if (can_be_opened_again(number, status)) {
    if (OwnedFd fd = open_again(number)) return StandardDescriptor(std::move(fd), Kind::own, true);
  }
  Result<OwnedFd> copy = duplicate(number, "open");
  if (!copy) return error_of(stream, copy.error(), "open");
  if (S_ISSOCK(status.st_mode)) return StandardDescriptor(*std::move(copy), Kind::socket, true);
  const bool is_pollable = check_pollable(copy->get(), "open").has_value();
  return StandardDescriptor(*std::move(copy), Kind::shared, is_pollable);
}

}  // namespace skua
