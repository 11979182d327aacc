// The system calls of descriptors that are not sockets (runtime/net has those): see IoOperation.
//
// None of them takes a short count for a sign of emptiness. A pipe whose writer has set O_DIRECT hands out one packet
// for each read, however many are waiting; a terminal, one line; and a write may be short because memory was. The price
// is a system call that would block before a wait.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>
#include <skua/reactor/io_source.hpp>

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace skua {

/// Whether the kernel answers a write that nobody will read with SIGPIPE: pipes, FIFOs and sockets.
enum class RaisesSigpipe : bool { no, yes };

struct FdCountedCall {
  using Value = std::size_t;
  static bool drained(ssize_t) noexcept { return false; }
  static Result<Value> finish(ssize_t count) { return static_cast<std::size_t>(count); }
};

struct FdReadCall : FdCountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read";
  explicit FdReadCall(MutableBuffer into) noexcept : buffer(into) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) const noexcept;
  MutableBuffer buffer;
};

struct FdVectoredReadCall : FdCountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read_vectored";
  explicit FdVectoredReadCall(std::span<const iovec> into) noexcept : parts(into) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) const noexcept;
  std::span<const iovec> parts;
};

struct FdWriteCall : FdCountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write";
  FdWriteCall(ConstBuffer from, RaisesSigpipe raises) noexcept : buffer(from), sigpipe(raises) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) const noexcept;
  ConstBuffer buffer;
  RaisesSigpipe sigpipe;
};

struct FdVectoredWriteCall : FdCountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_vectored";
  FdVectoredWriteCall(std::span<const iovec> from, RaisesSigpipe raises) noexcept : parts(from), sigpipe(raises) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) const noexcept;
  std::span<const iovec> parts;
  RaisesSigpipe sigpipe;
};

struct FdWriteAllCall {
  using Value = void;
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_all";
  FdWriteAllCall(ConstBuffer from, RaisesSigpipe raises) noexcept : rest(from, raises) {}
  bool has_nothing_to_do() const noexcept { return rest.has_nothing_to_do(); }
  ssize_t attempt(int fd) noexcept;
  static bool drained(ssize_t) noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  FdWriteCall rest;
};

}  // namespace skua
