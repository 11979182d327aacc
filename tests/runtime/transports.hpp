// TCP and Unix streams under common names, for tests that hold for both.
#pragma once

#include "each_runtime.hpp"

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

/// An abstract name that nobody else uses.
inline UnixAddress fresh_unix_address() {
  static std::atomic<int> count{0};
  return UnixAddress::abstract("skua-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++)).value();
}

template <class Stream>
struct Pair {
  Pair(Stream a, Stream b) noexcept : client(std::move(a)), server(std::move(b)) {}
  Stream client;
  Stream server;
};

struct Tcp {
  using Stream = TcpStream;
  using Listener = TcpListener;
  static Listener listen() { return TcpListener::bind(SocketAddress::loopback(0)).value(); }
  static Task<Result<Stream>> connect(const Listener& listener) {
    return TcpStream::connect(listener.local_address().value());
  }
  static Stream stream_of(Accepted accepted) { return std::move(accepted.stream); }
};

struct Unix {
  using Stream = UnixStream;
  using Listener = UnixListener;
  static Listener listen() { return UnixListener::bind(fresh_unix_address()).value(); }
  static Task<Result<Stream>> connect(const Listener& listener) {
    return UnixStream::connect(listener.local_address().value());
  }
  static Stream stream_of(UnixStream accepted) { return accepted; }
};

template <class Transport>
Task<Pair<typename Transport::Stream>> connect_pair() {
  typename Transport::Listener listener = Transport::listen();
  Result<typename Transport::Stream> client = co_await Transport::connect(listener);
  auto accepted = co_await listener.accept();
  co_return Pair<typename Transport::Stream>(std::move(client).value(),
                                             Transport::stream_of(std::move(accepted).value()));
}

// g++ 12 knows no type of a dependent co_await, so no member of it can be called.
template <class R>
auto value_of(R result) {
  return std::move(result).value();
}
template <class R>
auto error_of(R result) {
  return std::move(result).error();
}

/// Bytes that tell their place.
inline char byte_at(std::size_t position) { return static_cast<char>((position * 2654435761u) >> 13); }
inline std::vector<char> pattern(std::size_t from, std::size_t size) {
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(from + i);
  return bytes;
}

/// Reads until the buffer is full or the stream ends.
template <class Reader>
Task<Result<std::size_t>> read_exactly(Reader& from, char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t n = co_await try_(from.read(MutableBuffer(to + done, size - done)));
    if (n == 0) break;
    done += n;
  }
  co_return done;
}

template <class Stream>
Task<Result<void>> echo(Stream stream) {
  std::vector<char> buffer(16384);
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}

}  // namespace skua::tests
