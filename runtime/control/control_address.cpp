#include <skua/control/control_address.hpp>

#include <sys/un.h>

#include <charconv>

namespace skua {

namespace {

constexpr std::string_view before_port_4 = "127.0.0.1:";
constexpr std::string_view before_port_6 = "[::1]:";

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, port);
  return fault == std::errc{} && stopped == end && !text.empty() ? std::optional(port) : std::nullopt;
}

std::optional<ControlAddress> loopback(ControlAddress::Kind kind, std::string_view port_text) {
  const auto port = port_of(port_text);
  if (!port) return std::nullopt;
  return ControlAddress{kind, {}, *port};
}

}  // namespace

std::optional<ControlAddress> ControlAddress::parse(std::string_view text) {
  if (text.starts_with(before_port_4)) return loopback(Kind::loopback_4, text.substr(before_port_4.size()));
  if (text.starts_with(before_port_6)) return loopback(Kind::loopback_6, text.substr(before_port_6.size()));
  const bool is_path =
      text.starts_with('/') && text.size() < sizeof(sockaddr_un::sun_path) && text.find('\0') == std::string_view::npos;
  if (!is_path) return std::nullopt;
  return ControlAddress{Kind::unix_socket, std::string(text), 0};
}

std::string ControlAddress::to_string() const {
  switch (kind) {
    case Kind::unix_socket: return path;
    case Kind::loopback_4: return std::string(before_port_4) + std::to_string(port);
    case Kind::loopback_6: return std::string(before_port_6) + std::to_string(port);
  }
  return "?";
}

}  // namespace skua
