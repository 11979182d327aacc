#include <skua/io/stream_error.hpp>

#include <utility>

namespace skua {

namespace {

class StreamCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "skua.stream"; }
  std::string message(int code) const override {
    switch (static_cast<StreamError>(code)) {
      case StreamError::unexpected_eof: return "Unexpected end of the stream";
      case StreamError::write_zero: return "The writer takes no bytes";
    }
    return "Unknown error";
  }
};

}  // namespace

std::error_code make_error_code(StreamError error) noexcept {
  static const StreamCategory category;
  return {static_cast<int>(error), category};
}

Error error_of_part(const Error& part, const char* operation, std::string how_far) {
  // "read 10.0.0.1:80: Connection reset by peer" is what the part says, its operation and subject before the colon.
  const std::string said = part.message();
  const std::string reason = ": " + part.code().message();
  if (said.size() > reason.size() && said.ends_with(reason)) {
    how_far += ", ";
    how_far.append(said, 0, said.size() - reason.size());
  }
  return Error(part.code(), operation, std::move(how_far));
}

}  // namespace skua
