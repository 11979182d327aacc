#include <skua/net/unix_address.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace skua {

namespace {

constexpr std::size_t name_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t most_bytes = sizeof(sockaddr_un::sun_path) - 1;  // a zero before or after

Error too_long(std::string_view name) {
  return Error(
      std::errc::filename_too_long, "make Unix address",
      std::string(name) + " (" + std::to_string(name.size()) + " bytes, at most " + std::to_string(most_bytes) + ")");
}

}  // namespace

UnixAddress::UnixAddress() noexcept : UnixAddress(std::string_view(), 0) {}

UnixAddress::UnixAddress(std::string_view name, std::size_t terminator) noexcept
    : size_(static_cast<socklen_t>(name_offset + name.size() + terminator)) {
  std::memset(&address_, 0, sizeof address_);
  address_.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address_.sun_path);
}

Result<UnixAddress> UnixAddress::path(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return Error(std::errc::invalid_argument, "make Unix address", "a path that is empty or has a zero byte");
  }
  if (path.size() > most_bytes) return too_long(path);
  return UnixAddress(path, 1);
}

Result<UnixAddress> UnixAddress::abstract(std::string_view name) {
  if (name.size() > most_bytes) return too_long(name);
  std::string with_zero(1, '\0');
  with_zero += name;
  return UnixAddress(with_zero, 0);
}

UnixAddress UnixAddress::from_native(const NativeAddress& native) noexcept {
  UnixAddress result;
  // A path of another program may fill the array without a zero, and its size then counts one more.
  result.size_ = std::clamp<socklen_t>(native.size, name_offset, sizeof result.address_);
  std::memcpy(&result.address_, &native.storage, result.size_);
  result.address_.sun_family = AF_UNIX;  // of an unnamed sender the kernel tells nothing at all
  return result;
}

std::string_view UnixAddress::name() const noexcept {
  const std::string_view bytes(address_.sun_path, size_ - name_offset);
  return bytes.starts_with('\0') ? bytes : bytes.substr(0, bytes.find('\0'));
}

std::optional<std::string_view> UnixAddress::path() const noexcept {
  if (is_unnamed() || name().front() == '\0') return std::nullopt;
  return name();
}

std::optional<std::string_view> UnixAddress::abstract_name() const noexcept {
  if (is_unnamed() || name().front() != '\0') return std::nullopt;
  return name().substr(1);
}

std::string UnixAddress::to_string() const {
  if (const auto file = path()) return std::string(*file);
  const auto abstract = abstract_name();
  if (!abstract) return "(unnamed)";
  std::string text = "@";
  for (const char byte : *abstract) {
    if (byte >= ' ' && byte <= '~' && byte != '\\') {
      text += byte;
    } else {
      std::array<char, 5> escaped;
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
      text += escaped.data();
    }
  }
  return text;
}

}  // namespace skua
