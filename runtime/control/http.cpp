#include <skua/control/http.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace skua {

namespace {

constexpr std::string_view end_of_line = "\r\n";
constexpr std::string_view end_of_head = "\r\n\r\n";

HttpParse refuse(int status) {
  HttpParse parse;
  parse.outcome = HttpParse::Outcome::refused;
  parse.status = status;
  return parse;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Up to `separator`, which is taken away with it; all of the text if there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
  return taken;
}

std::string host_without_port(std::string_view value) {
  if (value.starts_with('[')) return lowered(value.substr(1, value.find(']') - 1));
  return lowered(value.substr(0, value.find(':')));
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// 0, or why the line is refused.
int read_request_line(std::string_view line, HttpRequest& request) {
  const std::string_view method = take_until(line, " ");
  std::string_view target = take_until(line, " ");
  if (!line.starts_with("HTTP/1.") || !target.starts_with('/') || !is_printable(target)) return 400;
  if (method != "GET" && method != "HEAD") return 405;
  request.is_head = method == "HEAD";
  request.path = take_until(target, "?");
  request.query = target;
  return 0;
}

int read_header(std::string_view line, HttpRequest& request) {
  if (line.find(':') == std::string_view::npos) return 400;
  const std::string name = lowered(take_until(line, ":"));
  if (name.empty() || name.back() == ' ' || name.front() == ' ' || name.front() == '\t') return 400;
  const std::string_view value = trimmed(line);
  if (name == "host") {
    if (!request.host.empty()) return 400;  // which of the two is meant?
    request.host = host_without_port(value);
  } else if (name == "accept") {
    request.wants_html = lowered(value).find("text/html") != std::string::npos;
  } else if (name == "transfer-encoding" || (name == "content-length" && value != "0")) {
    return 413;  // no request here has a body
  }
  return 0;
}

}  // namespace

HttpParse parse_request(std::string_view received) {
  const auto end = received.find(end_of_head);
  if (end == std::string_view::npos) return received.size() >= largest_request ? refuse(431) : HttpParse{};
  if (end + end_of_head.size() > largest_request) return refuse(431);
  std::string_view head = received.substr(0, end);
  HttpParse parse;
  parse.outcome = HttpParse::Outcome::request;
  if (const int status = read_request_line(take_until(head, end_of_line), parse.request)) return refuse(status);
  while (!head.empty()) {
    if (const int status = read_header(take_until(head, end_of_line), parse.request)) return refuse(status);
  }
  return parse;
}

std::optional<std::size_t> HttpRequest::number(std::string_view key) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    std::string_view value = take_until(rest, "&");
    if (take_until(value, "=") != key) continue;
    std::size_t number = 0;
    const auto [stopped, fault] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (fault == std::errc{} && stopped == value.data() + value.size()) return number;
  }
  return std::nullopt;
}

std::string_view HttpResponse::reason(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
  }
  return "?";
}

std::string HttpResponse::serialize(bool head_only) const {
  std::string text = "HTTP/1.1 " + std::to_string(status);
  text.append(" ").append(reason(status));
  text += "\r\nContent-Type: " + content_type;
  text += "\r\nContent-Length: " + std::to_string(body.size());
  if (status == 405) text += "\r\nAllow: GET, HEAD";
  // A page shows what the program is doing now, loads nothing and runs nothing.
  text +=
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; "
      "style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n";
  if (!head_only) text += body;
  return text;
}

}  // namespace skua
