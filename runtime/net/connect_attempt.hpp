// connect_socket(): a socket's connection attempt, from the system call to its outcome.
#pragma once

#include <skua/core/task.hpp>
#include <skua/net/socket.hpp>

#include <string>

namespace skua {

/// Ready when the attempt has succeeded or failed; errors name `endpoint`. The socket must not have been waited for
/// before; it and the address must outlive the task.
Task<Result<void>> connect_socket(const Socket& socket, const sockaddr* address, socklen_t size, std::string endpoint);

}  // namespace skua
