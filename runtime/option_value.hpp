// The types of option values: each reads one from text, prints it, and says what it takes. Private.
#pragma once

#include <skua/control/control_address.hpp>
#include <skua/options.hpp>

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace skua::option_value {

template <std::uint32_t Least, std::uint32_t Most>
struct Number {
  /// False: `text` is no such value; `number` may have changed.
  static bool parse(std::string_view text, std::uint32_t& number) {
    const char* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, number);
    return fault == std::errc{} && stopped == end && number >= Least && number <= Most;
  }
  static std::string print(std::uint32_t number) { return std::to_string(number); }
  static std::string expected() { return "a number from " + std::to_string(Least) + " to " + std::to_string(Most); }
};

/// A number, or `auto`, which is kept as `Stands`.
template <class Given, std::uint32_t Stands>
struct AutoOr {
  static bool parse(std::string_view text, std::uint32_t& number) {
    if (text == "auto") return number = Stands, true;
    return Given::parse(text, number);
  }
  static std::string print(std::uint32_t number) { return number == Stands ? "auto" : Given::print(number); }
  static std::string expected() { return "auto or " + Given::expected(); }
};

inline constexpr std::pair<std::string_view, Backend> backends[] = {
    {"auto", Backend::automatic}, {"io_uring", Backend::io_uring}, {"epoll", Backend::epoll}};
inline constexpr std::pair<std::string_view, ReactorMode> reactor_modes[] = {{"workers", ReactorMode::workers},
                                                                             {"thread", ReactorMode::thread}};
inline constexpr std::pair<std::string_view, bool> switches[] = {{"off", false}, {"on", true}};
constexpr std::span<const std::pair<std::string_view, bool>> names_of(bool) { return switches; }
constexpr std::span<const std::pair<std::string_view, Backend>> names_of(Backend) { return backends; }
constexpr std::span<const std::pair<std::string_view, ReactorMode>> names_of(ReactorMode) { return reactor_modes; }

/// One of the names that names_of() lists.
template <class Enum>
struct Name {
  static bool parse(std::string_view text, Enum& value) {
    for (const auto& [name, named] : names_of(Enum{})) {
      if (name == text) return value = named, true;
    }
    return false;
  }
  static std::string print(Enum value) {
    for (const auto& [name, named] : names_of(Enum{})) {
      if (named == value) return std::string(name);
    }
    return "?";
  }
  static std::string expected() {
    const auto names = names_of(Enum{});
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
      text += names[i].first;
    }
    return text;
  }
};

/// Where the control endpoint listens.
struct Endpoint {
  static bool parse(std::string_view text, std::string& listen) {
    if (text != "off" && !ControlAddress::parse(text)) return false;
    listen = text;
    return true;
  }
  static std::string print(const std::string& listen) { return listen; }
  static std::string expected() { return "off, /PATH, 127.0.0.1:PORT or [::1]:PORT"; }
};

}  // namespace skua::option_value
