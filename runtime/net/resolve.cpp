#include <skua/blocking/unblock.hpp>
#include <skua/net/resolve.hpp>

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace skua {

namespace {

static_assert(static_cast<int>(ResolverError::host_not_found) == EAI_NONAME);
static_assert(static_cast<int>(ResolverError::temporary_failure) == EAI_AGAIN);
static_assert(static_cast<int>(ResolverError::permanent_failure) == EAI_FAIL);
static_assert(static_cast<int>(ResolverError::family_unsupported) == EAI_FAMILY);
constexpr int no_data = -5;  // EAI_NODATA, which is not in every header

class ResolverCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "resolver"; }
  std::string message(int number) const override { return ::gai_strerror(number); }
};

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

std::vector<SocketAddress> addresses_of(const addrinfo* list, std::uint16_t port) {
  std::vector<SocketAddress> result;
  for (; list != nullptr; list = list->ai_next) {
    if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
    NativeAddress native;
    std::copy_n(reinterpret_cast<const char*>(list->ai_addr), list->ai_addrlen,
                reinterpret_cast<char*>(&native.storage));
    const SocketAddress address = SocketAddress::from_native(native).with_port(port);
    if (std::find(result.begin(), result.end(), address) == result.end()) result.push_back(address);
  }
  return result;
}

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one entry for each address instead of three
  hints.ai_flags = AI_ADDRCONFIG;   // no IPv6 addresses where there is no IPv6
  addrinfo* list = nullptr;
  if (const int number = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); number != 0) {
    return Error(resolver_error_code(number, errno), "resolve", host);
  }
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  auto addresses = addresses_of(list, port);
  if (addresses.empty()) return Error(make_error_code(ResolverError::host_not_found), "resolve", host);
  return addresses;
}

/// look_up() with its arguments, for the pool.
class LookUp {
 public:
  LookUp(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
  Result<std::vector<SocketAddress>> operator()() const { return look_up(host_, port_); }

 private:
  std::string host_;
  std::uint16_t port_;
};

}  // namespace

const std::error_category& resolver_category() noexcept {
  static const ResolverCategory category;
  return category;
}

std::error_code make_error_code(ResolverError error) noexcept { return {static_cast<int>(error), resolver_category()}; }

std::error_code resolver_error_code(int number, int error_number) noexcept {
  switch (number) {
    case EAI_SYSTEM: return {error_number, std::system_category()};
    case EAI_MEMORY: return {ENOMEM, std::system_category()};
    case no_data: return make_error_code(ResolverError::host_not_found);
    default: return {number, resolver_category()};
  }
}

Task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port) {
  if (auto written_out = SocketAddress::from_ip(host, port)) co_return std::vector<SocketAddress>{*written_out};
  if (host.empty() || host.find('\0') != std::string::npos) {
    co_return Error(std::errc::invalid_argument, "resolve", "a host that is empty or has a zero byte");
  }
  LookUp function(std::move(host), port);
  co_return co_await unblock(std::move(function));
}

Task<Result<TcpStream>> connect(std::string host, std::uint16_t port, ConnectOptions options) {
  auto addresses = co_await try_(resolve(std::move(host), port));
  co_return co_await TcpStream::connect(std::move(addresses), options);
}

}  // namespace skua
