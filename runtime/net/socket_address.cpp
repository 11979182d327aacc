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

  SocketAddress result;
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
    std::optional<std::uint32_t> scope = 0;
    if (const std::size_t percent = host.find('%'); percent != std::string_view::npos) {
      scope = parse_number(host.substr(percent + 1), ~std::uint32_t{0});
      host = host.substr(0, percent);
    }
    result.address_.v6.sin6_family = AF_INET6;
    if (!scope || !parse_ip(AF_INET6, host, &result.address_.v6.sin6_addr)) return invalid();
    result.address_.v6.sin6_scope_id = *scope;
  } else if (!parse_ip(AF_INET, host, &result.address_.v4.sin_addr)) {
    return invalid();
  }
  // The port lies at the same place in both.
  result.address_.v4.sin_port = htons(static_cast<std::uint16_t>(*port));
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

SocketAddress SocketAddress::from_native(const sockaddr_storage& native) noexcept {
  SocketAddress result;
  std::memcpy(&result.address_, &native, sizeof result.address_);
  return result;
}

std::uint16_t SocketAddress::port() const noexcept { return ntohs(address_.v4.sin_port); }

std::string SocketAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &address_.v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(port());
  }
  inet_ntop(AF_INET6, &address_.v6.sin6_addr, text.data(), text.size());
  const std::string scope = address_.v6.sin6_scope_id == 0 ? "" : "%" + std::to_string(address_.v6.sin6_scope_id);
  return "[" + std::string(text.data()) + scope + "]:" + std::to_string(port());
}

bool operator==(const SocketAddress& left, const SocketAddress& right) noexcept {
  return left.to_string() == right.to_string();
}

}  // namespace skua
