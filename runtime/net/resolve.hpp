// resolve(): the addresses of a host, by the system's resolver.
//
// getaddrinfo() blocks, for many seconds if a name server does not answer: it runs on the runtime's blocking pool. An
// address that is written out ("127.0.0.1", "::1") is not looked up and needs no other thread.
#pragma once

#include <skua/core/task.hpp>
#include <skua/net/socket_address.hpp>
#include <skua/net/tcp_stream.hpp>

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace skua {

/// Why a name was not resolved, in words and numbers of getaddrinfo(): the codes of resolver_category().
enum class ResolverError : int {
  host_not_found = -2,      // EAI_NONAME, EAI_NODATA: no such name, or none of its records is an address
  temporary_failure = -3,   // EAI_AGAIN: the name server does not answer; try again later
  permanent_failure = -4,   // EAI_FAIL: the name server says that it cannot
  family_unsupported = -6,  // EAI_FAMILY
};

/// "resolver". Other numbers are those of getaddrinfo(), except EAI_SYSTEM and EAI_MEMORY, which become the error of
/// the system that they stand for.
const std::error_category& resolver_category() noexcept;
std::error_code make_error_code(ResolverError error) noexcept;
/// The error that getaddrinfo() has returned as `number`, with errno as it left it.
std::error_code resolver_error_code(int number, int error_number) noexcept;

/// The addresses of `host`, an address or a name, with this port; at least one, in the order in which to try them
/// (RFC 6724), each once. Errors: ResolverError with the host. Cancel safety: a look-up that has begun ends by itself,
/// unseen.
Task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port);

/// Resolves and connects, as TcpStream::connect() to all the addresses.
Task<Result<TcpStream>> connect(std::string host, std::uint16_t port, ConnectOptions options = ConnectOptions());

}  // namespace skua

template <>
struct std::is_error_code_enum<skua::ResolverError> : std::true_type {};
