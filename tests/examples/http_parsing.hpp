// What the tests of the HTTP parser share: feed bytes in pieces, and keep what comes out.
#pragma once

#include "http/request_parser.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace http::testing {

/// A request whose text is its own.
struct Seen {
  std::string method, target, fields, body;
  int minor_version;
  bool keep_alive;
  bool operator==(const Seen&) const = default;
};

struct Outcome {
  std::vector<Seen> requests;
  Status status = Status::ok;
  Phase phase = Phase::idle;  // in which the bytes ended
  bool operator==(const Outcome&) const = default;
};

inline Seen copy_of(const Request& request) {
  Seen seen{std::string(request.method), std::string(request.target), "",
            std::string(request.body),   request.minor_version,       request.keep_alive};
  for (const Field& field : request.fields) seen.fields.append(field.name).append("=").append(field.value).append(";");
  return seen;
}

inline void feed(RequestParser& parser, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = parser.prepare();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    parser.commit(count);
    bytes.remove_prefix(count);
  }
}

/// Parses `bytes` in pieces of the sizes that `next_size` says.
inline Outcome parse_in_pieces(std::string_view bytes, const std::function<std::size_t()>& next_size,
                               const Limits& limits = {}) {
  RequestParser parser(limits);
  Outcome outcome;
  for (;;) {
    const Progress progress = parser.next();
    if (progress == Progress::complete) {
      outcome.requests.push_back(copy_of(parser.request()));
    } else if (progress == Progress::failed || bytes.empty()) {
      outcome.status = parser.status();
      outcome.phase = parser.phase();
      return outcome;
    } else {
      const std::size_t count = std::min(next_size(), bytes.size());
      feed(parser, bytes.substr(0, count));
      bytes.remove_prefix(count);
    }
  }
}

inline Outcome parse_whole(std::string_view bytes, const Limits& limits = {}) {
  return parse_in_pieces(bytes, [&] { return bytes.size(); }, limits);
}

inline Outcome parse_bytewise(std::string_view bytes, const Limits& limits = {}) {
  return parse_in_pieces(bytes, [] { return std::size_t{1}; }, limits);
}

/// For failure messages of GoogleTest.
inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << static_cast<int>(outcome.status) << " after " << outcome.requests.size() << " requests:";
  for (const Seen& seen : outcome.requests) {
    out << "\n  " << seen.method << ' ' << seen.target << " 1." << seen.minor_version << ' ' << seen.fields
        << " body of " << seen.body.size() << (seen.keep_alive ? "" : ", then close");
  }
  return out;
}

}  // namespace http::testing
