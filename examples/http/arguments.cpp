#include "http/arguments.hpp"

#include <charconv>
#include <chrono>
#include <string>
#include <system_error>

namespace http {
namespace {

template <class Number>
bool read_number(std::string_view text, Number least, Number& number) noexcept {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end && number >= least;
}

bool read_milliseconds(std::string_view text, std::chrono::milliseconds& duration) noexcept {
  std::uint32_t count = 0;
  if (!read_number(text, std::uint32_t{1}, count)) return false;
  duration = std::chrono::milliseconds(count);
  return true;
}

bool set(Arguments& to, std::string_view name, std::string_view value) noexcept {
  if (name == "--port") return read_number(value, std::uint16_t{0}, to.port);
  if (name == "--connections") return read_number(value, std::size_t{1}, to.connections);
  if (name == "--idle-timeout-ms") return read_milliseconds(value, to.timeouts.idle);
  if (name == "--header-timeout-ms") return read_milliseconds(value, to.timeouts.header);
  if (name == "--body-timeout-ms") return read_milliseconds(value, to.timeouts.body);
  if (name == "--write-timeout-ms") return read_milliseconds(value, to.timeouts.write);
  return false;
}

}  // namespace

// "--name value" or "--name=value".
skua::Result<Arguments> parse_arguments(std::span<const std::string_view> arguments) {
  Arguments parsed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    std::string_view value;
    if (const auto equals = name.find('='); equals != name.npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (!set(parsed, name, value)) {
      return skua::Error(std::errc::invalid_argument, "argument", std::string(name).append(" ").append(value));
    }
  }
  return parsed;
}

}  // namespace http
