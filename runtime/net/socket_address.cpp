#include <skua/net/socket_address.hpp>

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace skua {

namespace {

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > most) return std::nullopt;
  return number;
}

bool parse_ip(int family, std::string_view text, void* address) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
  text.copy(terminated.data(), text.size());
  return inet_pton(family, terminated.data(), address) == 1;
}

}  // namespace

SocketAddress::SocketAddress() noexcept {
  std::memset(&address_, 0, sizeof address_);
  address_.v4.sin_family = AF_INET;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto invalid = [&] {
    return Error(std::errc::invalid_argument, "parse address",
                 "\"" + std::string(text) + "\" (expected 1.2.3.4:80 or [::1]:80)");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid();
  const auto port = parse_number(text.substr(colon + 1), 65535);
  std::string_view host = text.substr(0, colon);
  if (!port) return invalid();
  const bool in_brackets = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (in_brackets) host = host.substr(1, host.size() - 2);
  Result<SocketAddress> result = from_ip(host, static_cast<std::uint16_t>(*port));
  if (!result || result->is_v6() != in_brackets) return invalid();
  return result;
}

Result<SocketAddress> SocketAddress::from_ip(std::string_view ip, std::uint16_t port) {
  SocketAddress result;
  result.address_.v4.sin_port = htons(port);  // at the same place in both
  if (parse_ip(AF_INET, ip, &result.address_.v4.sin_addr)) return result;
  const std::size_t percent = ip.find('%');
  const auto scope = percent == std::string_view::npos ? 0 : parse_number(ip.substr(percent + 1), ~std::uint32_t{0});
  result.address_.v6.sin6_family = AF_INET6;
  result.address_.v6.sin6_flowinfo = 0;
  if (!scope || !parse_ip(AF_INET6, ip.substr(0, percent), &result.address_.v6.sin6_addr)) {
    return Error(std::errc::invalid_argument, "parse address", "\"" + std::string(ip) + "\" (expected 1.2.3.4 or ::1)");
  }
  result.address_.v6.sin6_scope_id = *scope;
  return result;
}

SocketAddress SocketAddress::any(std::uint16_t port) noexcept {
  SocketAddress result;
  result.address_.v4.sin_port = htons(port);
  return result;
}

SocketAddress SocketAddress::loopback(std::uint16_t port) noexcept {
  SocketAddress result = any(port);
  result.address_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

SocketAddress SocketAddress::any_v6(std::uint16_t port) noexcept {
  SocketAddress result = any(port);
  result.address_.v6.sin6_family = AF_INET6;  // the rest is zero
  return result;
}

SocketAddress SocketAddress::loopback_v6(std::uint16_t port) noexcept {
  SocketAddress result = any_v6(port);
  result.address_.v6.sin6_addr = in6addr_loopback;
  return result;
}

SocketAddress SocketAddress::from_native(const NativeAddress& native) noexcept {
  SocketAddress result;
  std::memcpy(&result.address_, &native.storage, sizeof result.address_);
  return result;
}

std::uint16_t SocketAddress::port() const noexcept { return ntohs(address_.v4.sin_port); }

SocketAddress SocketAddress::with_port(std::uint16_t port) const noexcept {
  SocketAddress result = *this;
  result.address_.v4.sin_port = htons(port);
  return result;
}

bool SocketAddress::is_loopback() const noexcept {
  if (is_v6()) return IN6_IS_ADDR_LOOPBACK(&address_.v6.sin6_addr);
  return ntohl(address_.v4.sin_addr.s_addr) >> 24 == 127;
}
bool SocketAddress::is_multicast() const noexcept {
  if (is_v6()) return IN6_IS_ADDR_MULTICAST(&address_.v6.sin6_addr);
  return IN_MULTICAST(ntohl(address_.v4.sin_addr.s_addr));
}
bool SocketAddress::is_unspecified() const noexcept {
  if (is_v6()) return IN6_IS_ADDR_UNSPECIFIED(&address_.v6.sin6_addr);
  return address_.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

std::string SocketAddress::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!is_v6()) return inet_ntop(AF_INET, &address_.v4.sin_addr, text.data(), text.size());
  std::string ip = inet_ntop(AF_INET6, &address_.v6.sin6_addr, text.data(), text.size());
  if (address_.v6.sin6_scope_id != 0) ip += "%" + std::to_string(address_.v6.sin6_scope_id);
  return ip;
}

std::string SocketAddress::to_string() const {
  const std::string number = std::to_string(port());
  return is_v6() ? "[" + ip() + "]:" + number : ip() + ":" + number;
}

bool operator==(const SocketAddress& left, const SocketAddress& right) noexcept {
  const auto& a = left.address_;
  const auto& b = right.address_;
  if (left.family() != right.family() || a.v4.sin_port != b.v4.sin_port) return false;
  if (!left.is_v6()) return a.v4.sin_addr.s_addr == b.v4.sin_addr.s_addr;
  return IN6_ARE_ADDR_EQUAL(&a.v6.sin6_addr, &b.v6.sin6_addr) && a.v6.sin6_scope_id == b.v6.sin6_scope_id;
}

}  // namespace skua
