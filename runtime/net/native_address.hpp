// NativeAddress: room for an address of any family, for a system call to fill in.
#pragma once

#include <sys/socket.h>

namespace skua {

struct NativeAddress {
  sockaddr* pointer() noexcept { return reinterpret_cast<sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
};

}  // namespace skua
