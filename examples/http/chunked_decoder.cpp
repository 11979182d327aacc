#include "http/chunked_decoder.hpp"

#include "http/head.hpp"
#include "http/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace http {

void ChunkedDecoder::reset() noexcept {
  state_ = State::chunk_line;
  decoded_ = consumed_ = 0;
  trailer_fields_ = trailer_bytes_ = 0;
}

std::optional<Status> ChunkedDecoder::decode(char* body, std::size_t size) noexcept {
  for (;;) {
    if (state_ == State::data) {
      move_data(body, size);
      if (chunk_left_ > 0) return std::nullopt;
      state_ = State::data_end;
    }
    const std::string_view rest(body + consumed_, size - consumed_);
    const std::size_t end = rest.find('\n');
    const bool complete = end != rest.npos;
    const std::size_t line_size = complete ? end + 1 : rest.size();
    if (line_size + (complete ? 0 : 1) > line_limit()) {
      return state_ == State::trailer ? Status::header_fields_too_large : Status::bad_request;
    }
    if (!complete) return std::nullopt;
    if (end == 0 || rest[end - 1] != '\r') return Status::bad_request;
    consumed_ += line_size;
    if (const auto status = read_line(rest.substr(0, end - 1))) return status;
  }
}

// What follows the data is an empty line, and nothing else may stand there.
std::size_t ChunkedDecoder::line_limit() const noexcept {
  if (state_ == State::data_end) return 2;
  return state_ == State::trailer ? limits_.field_bytes - trailer_bytes_ : limits_.chunk_line;
}

std::optional<Status> ChunkedDecoder::read_line(std::string_view line) noexcept {
  Field dropped;
  switch (state_) {
    case State::chunk_line: return read_chunk_line(line);
    case State::data_end:
      state_ = State::chunk_line;
      return line.empty() ? std::nullopt : std::optional(Status::bad_request);
    default:
      if (line.empty()) return Status::ok;
      trailer_bytes_ += line.size() + 2;
      if (++trailer_fields_ > limits_.fields) return Status::header_fields_too_large;
      return parse_field(line, dropped) ? std::nullopt : std::optional(Status::bad_request);
  }
}

// "1f4" or "1f4;name=value", in hexadecimal digits and without spaces before the semicolon.
std::optional<Status> ChunkedDecoder::read_chunk_line(std::string_view line) noexcept {
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, chunk_left_, 16);
  const std::string_view extensions(rest, static_cast<std::size_t>(end - rest));
  const bool well_formed =
      error == std::errc() && is_field_value(extensions) && (extensions.empty() || extensions.front() == ';');
  if (!well_formed) return Status::bad_request;
  if (chunk_left_ > limits_.body - decoded_) return Status::content_too_large;
  state_ = chunk_left_ > 0 ? State::data : State::trailer;
  return std::nullopt;
}

void ChunkedDecoder::move_data(char* body, std::size_t size) noexcept {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, size - consumed_));
  std::memmove(body + decoded_, body + consumed_, count);
  decoded_ += count;
  consumed_ += count;
  chunk_left_ -= count;
}

}  // namespace http
