// JsonWriter: appends JSON to a string, one token after another. Private.
//
//   JsonWriter json(text);
//   json.begin_object().member("worker", 3).key("tasks").begin_array().value("reader").end_array().end_object();
//
// The caller pairs begin and end, and gives each value of an object a key; commas and escapes are seen to here. Names
// that users give may hold any bytes: what is not UTF-8 becomes U+FFFD, so that the document can always be read.
// Numbers that JSON does not have (NaN, infinity) become null.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace skua {

class JsonWriter {
 public:
  /// Appends to `text`, which must outlive this.
  explicit JsonWriter(std::string& text) noexcept : text_(text) {}

  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  /// The next value is that of `name`.
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view string);
  JsonWriter& value(const char* string) { return value(std::string_view(string)); }
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& value(std::floating_point auto number) { return number_value(static_cast<double>(number)); }
  JsonWriter& value(std::integral auto number) { return raw(std::to_string(number)); }
  JsonWriter& null() { return raw("null"); }

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& raw(std::string_view token);
  JsonWriter& number_value(double number);
  void append_string(std::string_view string);
  void separate();

  std::string& text_;
  bool follows_value_ = false;  // a comma is due before the next one
};

}  // namespace skua
