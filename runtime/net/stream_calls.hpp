// The system calls of stream sockets: see IoOperation. Most tell how many bytes they moved.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/shutdown.hpp>
#include <skua/reactor/io_source.hpp>

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace skua {

/// shutdown(), which succeeds too if the peer was faster.
Result<void> end_direction(int fd, Shutdown how);

struct CountedCall {
  using Value = std::size_t;
  static Result<Value> finish(ssize_t count) { return static_cast<std::size_t>(count); }
};

struct ReadCall : CountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read";
  explicit ReadCall(MutableBuffer into) noexcept : buffer(into) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t count) const noexcept { return count > 0 && static_cast<std::size_t>(count) < buffer.size(); }
  MutableBuffer buffer;
};

struct PeekCall : CountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "peek";
  explicit PeekCall(MutableBuffer into) noexcept : buffer(into) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  MutableBuffer buffer;
};

struct WriteCall : CountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write";
  explicit WriteCall(ConstBuffer from) noexcept : buffer(from) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t count) const noexcept { return static_cast<std::size_t>(count) < buffer.size(); }
  ConstBuffer buffer;
};

struct WriteAllCall {
  using Value = void;
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_all";
  explicit WriteAllCall(ConstBuffer from) noexcept : rest(from) {}
  bool has_nothing_to_do() const noexcept { return rest.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  ConstBuffer rest;
};

struct VectoredReadCall : CountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read_vectored";
  explicit VectoredReadCall(std::span<const iovec> into) noexcept : parts(into) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  std::span<const iovec> parts;
};

struct VectoredWriteCall : CountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_vectored";
  explicit VectoredWriteCall(std::span<const iovec> from) noexcept : parts(from) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  std::span<const iovec> parts;
};

/// Asks whether the direction is ready, and moves nothing.
template <reactor::Direction which>
struct ReadyCall {
  using Value = void;
  static constexpr auto direction = which;
  static constexpr const char* name = which == reactor::Direction::read ? "readable" : "writable";
  bool has_nothing_to_do() const noexcept { return false; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
};

}  // namespace skua
