#include <skua/codec/lines_codec.hpp>

#include <cstring>

namespace skua {

Result<std::optional<std::string>> LinesCodec::decode_eof(ByteBuffer& buffer) {
  auto line = decode(buffer);
  if (!line || *line) return line;
  return scanner_.rest(buffer, '\r');
}

Result<void> LinesCodec::encode(ConstBuffer line, ByteBuffer& buffer) {
  if (line.size() > max_size_) {
    return Error(std::errc::message_size, "encode", "a line of " + std::to_string(line.size()) + " bytes");
  }
  if (line.size() != 0 && std::memchr(line.data(), '\n', line.size()) != nullptr) {
    return Error(std::errc::invalid_argument, "encode", "a line that holds a line end");
  }
  buffer.append(line);
  buffer.append("\n");
  return {};
}

}  // namespace skua
