// The alphabet of HTTP/1.1 (RFC 9110, section 5.6): which byte may stand where.
#pragma once

#include <array>
#include <string_view>

namespace http {

/// Letters, digits and !#$%&'*+-.^_`|~ : methods and field names consist of these.
inline constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> table{};
  constexpr std::string_view all = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const char c : all) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

inline bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!token_characters[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

/// Printable ASCII without spaces, at least one.
inline bool is_visible(std::string_view text) noexcept {
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f) return false;  // where char is signed, 0x80 and up are below ' '; elsewhere above 0x7f
  }
  return !text.empty();
}

/// No control characters but tabs: above all no NUL, no lone CR.
inline bool is_field_value(std::string_view text) noexcept {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

/// Without the spaces and tabs around it.
inline std::string_view trim(std::string_view text) noexcept {
  constexpr auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

inline bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

/// Takes the first line, without its CRLF, from `lines`; every line of these must end with CRLF.
inline std::string_view take_line(std::string_view& lines) noexcept {
  const std::size_t end = lines.find('\n');
  const std::string_view line = lines.substr(0, end - 1);
  lines.remove_prefix(end + 1);
  return line;
}

}  // namespace http
