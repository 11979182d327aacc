// Request: what a client asks for. All its text lies in the parser's buffer.
#pragma once

#include <string_view>
#include <vector>

namespace http {

struct Field {
  std::string_view name;
  std::string_view value;
};

struct Request {
  std::string_view method;
  std::string_view target;    // as sent: "/echo?x=1", "http://host/echo", "*"
  int minor_version = 1;      // HTTP/1.0 or HTTP/1.1
  std::vector<Field> fields;  // in the order they came; kept from request to request, so that it need not grow again
  std::string_view body;      // decoded
  bool keep_alive = true;     // whether the client lets the connection live on

  /// The target's path: "/echo" in each of the forms above.
  std::string_view path() const noexcept {
    std::string_view rest = target;
    if (const auto scheme = rest.find("://"); !rest.starts_with('/') && scheme != rest.npos) {
      const auto slash = rest.find('/', scheme + 3);
      rest = slash == rest.npos ? std::string_view("/") : rest.substr(slash);
    }
    return rest.substr(0, rest.find('?'));
  }
};

}  // namespace http
