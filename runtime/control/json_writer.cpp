#include <skua/control/json_writer.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace skua {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// The length of the character that `text` begins with; 0: it begins with none that UTF-8 allows. The second byte rules
// out what would be written longer than need be, the halves of UTF-16, and what lies beyond U+10FFFF.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(text, 1)) return 0;
  if (first < 0xE0) return 2;
  const auto second = static_cast<unsigned char>(text[1]);
  if (first < 0xF0) {
    const bool is_allowed = first == 0xE0 ? second >= 0xA0 : first == 0xED ? second < 0xA0 : true;
    return is_allowed && continues(text, 2) ? 3 : 0;
  }
  const bool is_allowed = first == 0xF0 ? second >= 0x90 : first == 0xF4 ? second < 0x90 : true;
  return is_allowed && continues(text, 2) && continues(text, 3) ? 4 : 0;
}

void append_control(std::string& text, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(c);
  text.append("\\u00").append(1, digits[code >> 4U]).append(1, digits[code & 15U]);
}

void append_ascii(std::string& text, char c) {
  switch (c) {
    case '"': text += "\\\""; return;
    case '\\': text += "\\\\"; return;
    case '\n': text += "\\n"; return;
    case '\t': text += "\\t"; return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return append_control(text, c);
  text += c;
}

}  // namespace

void JsonWriter::separate() {
  if (follows_value_) text_ += ',';
  follows_value_ = true;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  text_ += bracket;
  follows_value_ = false;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  text_ += bracket;
  follows_value_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_string(name);
  text_ += ':';
  follows_value_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view string) {
  separate();
  append_string(string);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view token) {
  separate();
  text_ += token;
  return *this;
}

JsonWriter& JsonWriter::number_value(double number) {
  if (!std::isfinite(number)) return null();
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  static_cast<void>(error);  // the shortest form of a double has 24 characters at most
  return raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void JsonWriter::append_string(std::string_view string) {
  text_ += '"';
  while (!string.empty()) {
    const std::size_t length = character_length(string);
    if (length == 1) {
      append_ascii(text_, string[0]);
    } else {
      text_ += length == 0 ? replacement : string.substr(0, length);
    }
    string.remove_prefix(length == 0 ? 1 : length);
  }
  text_ += '"';
}

}  // namespace skua
