// UnixAddress: where a Unix socket is found: a file's path, an abstract name, or nowhere.
#pragma once

#include <skua/core/result.hpp>
#include <skua/net/native_address.hpp>

#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>

namespace skua {

class UnixAddress {
 public:
  /// Unnamed: what a socket has that was not bound.
  UnixAddress() noexcept;
  /// A socket file. Errors: filename_too_long (more than 107 bytes; the error says how many), invalid_argument (empty,
  /// or with a zero byte).
  static Result<UnixAddress> path(std::string_view path);
  /// A name in the network namespace, without a file; any bytes. It is gone when its socket is; anybody may connect,
  /// so ask for peer_credentials(). Error: filename_too_long (more than 107 bytes).
  static Result<UnixAddress> abstract(std::string_view name);
  /// From what a system call filled in. Requires AF_UNIX.
  static UnixAddress from_native(const NativeAddress& native) noexcept;

  bool is_unnamed() const noexcept { return name().empty(); }
  /// None if it is of another kind.
  std::optional<std::string_view> path() const noexcept;
  std::optional<std::string_view> abstract_name() const noexcept;
  /// The path, "@name" (bytes that do not print as \xNN), or "(unnamed)".
  std::string to_string() const;

  const sockaddr* native() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t native_size() const noexcept { return size_; }

  friend bool operator==(const UnixAddress& left, const UnixAddress& right) noexcept {
    return left.name() == right.name();
  }

 private:
  UnixAddress(std::string_view name, std::size_t terminator) noexcept;
  /// A path without the zero at its end; an abstract name with the zero at its start.
  std::string_view name() const noexcept;

  sockaddr_un address_;
  socklen_t size_;
};

}  // namespace skua
