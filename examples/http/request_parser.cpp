#include "http/request_parser.hpp"

#include "http/head.hpp"

#include <tuple>
#include <utility>

namespace http {

std::span<char> RequestParser::prepare() {
  if (phase() == Phase::body && framing_.chunked) {
    buffer_.erase(head_size_ + chunks_.decoded(), chunks_.consumed() - chunks_.decoded());
    chunks_.close_gap();
  }
  head_moved_ = true;
  return buffer_.prepare();
}

Progress RequestParser::next() {
  if (status_ != Status::ok) return Progress::failed;
  if (request_size_ > 0) start_over();
  if (head_size_ == 0) {
    const auto status = scanner_.scan(buffer_.bytes());
    if (!status) return Progress::need_more;
    if (*status != Status::ok) return fail(*status);
    if (const Status parsed = parse(); parsed != Status::ok) return fail(parsed);
    head_size_ = scanner_.end();
  }
  return framing_.chunked ? read_chunks() : read_length();
}

Status RequestParser::parse() {
  head_moved_ = false;
  const Status status = parse_head(scanner_.head(buffer_.bytes()), request_);
  return status == Status::ok ? read_framing(request_, limits_, framing_) : status;
}

Progress RequestParser::read_length() {
  const auto length = static_cast<std::size_t>(framing_.length);
  return buffer_.size() - head_size_ < length ? Progress::need_more : finish(length, length);
}

Progress RequestParser::read_chunks() {
  const auto status = chunks_.decode(buffer_.data() + head_size_, buffer_.size() - head_size_);
  if (!status) return Progress::need_more;
  return *status == Status::ok ? finish(chunks_.decoded(), chunks_.consumed()) : fail(*status);
}

// A head whose body came later is parsed again where it lies now: that costs less than to keep offsets for all.
Progress RequestParser::finish(std::size_t body_size, std::size_t encoded_size) {
  if (head_moved_) std::ignore = parse();
  request_.body = buffer_.bytes().substr(head_size_, body_size);
  request_.keep_alive = framing_.keep_alive;
  request_size_ = head_size_ + encoded_size;
  return Progress::complete;
}

void RequestParser::start_over() noexcept {
  buffer_.consume(std::exchange(request_size_, 0));
  head_size_ = 0;
  scanner_.reset();
  chunks_.reset();
}

Progress RequestParser::fail(Status status) noexcept {
  status_ = status;
  return Progress::failed;
}

Phase RequestParser::phase() const noexcept {
  const std::size_t rest = buffer_.size() - request_size_;
  if (head_size_ > 0 && request_size_ == 0) return Phase::body;
  return rest > 0 ? Phase::head : Phase::idle;
}

bool RequestParser::take_continue() noexcept {
  const bool nothing_came = head_size_ > 0 && buffer_.size() == head_size_;
  return std::exchange(framing_.expects_continue, false) && nothing_came;
}

}  // namespace http
