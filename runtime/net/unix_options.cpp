#include <skua/net/connect_attempt.hpp>
#include <skua/net/unix_options.hpp>

#include <cerrno>

namespace skua {

namespace {

Result<UnixAddress> unix_address(Result<NativeAddress> native) {
  if (!native) return std::move(native).error();
  return UnixAddress::from_native(*native);
}

}  // namespace

Result<UnixAddress> UnixOptions::local_address() const { return unix_address(socket().local_address()); }
Result<UnixAddress> UnixOptions::peer_address() const { return unix_address(socket().peer_address()); }

Result<UnixCredentials> UnixOptions::peer_credentials() const {
  ucred native{};
  Result<socklen_t> size = socket().option(SOL_SOCKET, SO_PEERCRED, &native, sizeof native, "get SO_PEERCRED");
  if (!size) return std::move(size).error();
  // The kernel's way to say that there is nobody.
  if (native.pid == 0 && native.uid == static_cast<uid_t>(-1)) return system_error(ENOTCONN, "get SO_PEERCRED");
  UnixCredentials credentials;
  credentials.pid = native.pid;
  credentials.uid = native.uid;
  credentials.gid = native.gid;
  return credentials;
}

Result<BoundUnixSocket> bind_unix(int type, const UnixAddress& address, const UnixBindOptions& options) {
  Result<Socket> socket = Socket::make(AF_UNIX, type);
  if (!socket) return std::move(socket).error();
  if (auto bound = socket->bind(address.native(), address.native_size(), address.to_string()); !bound) {
    return std::move(bound).error();
  }
  SocketFile file;
  if (const auto path = address.path(); path && options.unlink_on_drop) file = SocketFile(std::string(*path));
  return BoundUnixSocket(*std::move(socket), std::move(file));
}

Task<Result<Socket>> connect_unix(int type, UnixAddress address) {
  Socket socket = co_await try_(Socket::make(AF_UNIX, type));
  co_await try_(connect_socket(socket, address.native(), address.native_size(), address.to_string()));
  co_return std::move(socket);
}

}  // namespace skua
