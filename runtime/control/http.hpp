// As much HTTP/1.1 as the control endpoint needs: one GET per connection, no bodies. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skua {

struct HttpRequest {
  std::string path;   // "/tasks"
  std::string query;  // what follows the question mark
  std::string host;   // without the port, in small letters; "::1" without its brackets; empty: not given
  bool wants_html = false;
  bool is_head = false;

  /// The number that `key` has in the query; none: it is not there, or no number.
  std::optional<std::size_t> number(std::string_view key) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;

  /// "OK"
  static std::string_view reason(int status) noexcept;
  /// Head and body, or the head alone.
  std::string serialize(bool head_only) const;
};

/// What has come so far may be: not all of the head yet (`need_more`), a request, or neither: then `status` says why.
struct HttpParse {
  enum class Outcome { need_more, request, refused };
  Outcome outcome = Outcome::need_more;
  HttpRequest request;
  int status = 0;
};

inline constexpr std::size_t largest_request = 8192;

HttpParse parse_request(std::string_view received);

}  // namespace skua
