#include "http/framing.hpp"

#include "http/text.hpp"

#include <charconv>
#include <optional>

namespace http {
namespace {

// What the fields say, before it is put together.
struct Findings {
  int hosts = 0;
  std::optional<std::uint64_t> length;
  std::string_view coding;
  int codings = 0;
  bool close = false;
  bool keep_alive = false;
  std::string_view expectation;
};

// Digits only: from_chars() of an unsigned number takes no sign and skips no spaces.
bool read_length(std::string_view text, std::optional<std::uint64_t>& length) noexcept {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return false;
  if (length && *length != number) return false;
  length = number;
  return true;
}

void read_connection(std::string_view options, Findings& found) noexcept {
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    const std::string_view option = trim(options.substr(0, comma));
    if (equals_ignoring_case(option, "close")) found.close = true;
    if (equals_ignoring_case(option, "keep-alive")) found.keep_alive = true;
    options.remove_prefix(comma == options.npos ? options.size() : comma + 1);
  }
}

// The length of the name tells most fields apart before any comparison.
bool read_field(const Field& field, Findings& found) noexcept {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(field.name, name); };
  switch (field.name.size()) {
    case 4: return !is("host") || (found.hosts++ == 0 && field.value.find_first_of(" \t,/\\?#@") == field.value.npos);
    case 6:
      if (is("expect")) found.expectation = field.value;
      return true;
    case 10:
      if (is("connection")) read_connection(field.value, found);
      return true;
    case 14: return !is("content-length") || read_length(field.value, found.length);
    case 17:
      if (is("transfer-encoding")) found.coding = field.value, ++found.codings;
      return true;
    default: return true;
  }
}

}  // namespace

Status read_framing(const Request& request, const Limits& limits, Framing& framing) {
  Findings found;
  for (const Field& field : request.fields) {
    if (!read_field(field, found)) return Status::bad_request;
  }
  const bool is_1_1 = request.minor_version == 1;
  if (is_1_1 && found.hosts == 0) return Status::bad_request;
  if (found.codings > 0) {
    if (found.length || found.codings > 1 || !is_1_1) return Status::bad_request;
    if (!equals_ignoring_case(found.coding, "chunked")) return Status::not_implemented;
  }
  framing.chunked = found.codings > 0;
  framing.length = found.length.value_or(0);
  framing.keep_alive = !found.close && (is_1_1 || found.keep_alive);
  framing.expects_continue = is_1_1 && equals_ignoring_case(found.expectation, "100-continue");
  if (framing.length > limits.body) return Status::content_too_large;
  if (is_1_1 && !found.expectation.empty() && !framing.expects_continue) return Status::expectation_failed;
  return Status::ok;
}

}  // namespace http
