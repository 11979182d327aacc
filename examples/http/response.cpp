#include "http/response.hpp"

#include "http/date.hpp"

#include <array>
#include <charconv>

namespace http {
namespace {

void append_number(std::string& output, std::size_t number) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  output.append(digits.data(), end);
}

std::string_view connection_field(Persistence persistence) noexcept {
  switch (persistence) {
    case Persistence::keep_alive: return {};
    case Persistence::keep_alive_1_0: return "Connection: keep-alive\r\n";
    case Persistence::close: return "Connection: close\r\n";
  }
  return {};
}

}  // namespace

Response status_response(Status status) {
  Response response;
  response.status = status;
  response.body = status_text(status);
  return response;
}

void append_response(std::string& output, const Response& response, Persistence persistence, bool with_body) {
  output += status_line(response.status);
  output += "Server: skua\r\nDate: ";
  output += current_date();
  output += "\r\nContent-Type: ";
  output += response.content_type;
  output += "\r\nContent-Length: ";
  append_number(output, response.body.size());
  output += "\r\n";
  if (!response.allow.empty()) output.append("Allow: ").append(response.allow).append("\r\n");
  output += connection_field(persistence);
  output += "\r\n";
  if (with_body) output += response.body;
}

}  // namespace http
