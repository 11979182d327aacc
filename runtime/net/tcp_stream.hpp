// TcpStream: a TCP connection.
//
//   TcpStream stream = co_await try_(TcpStream::connect(address));
//   co_await try_(stream.write_all("ping"));
//   std::array<char, 4096> buffer;
//   std::size_t n = co_await try_(stream.read(buffer));   // 0: the peer has ended its side
//
// Reading, writing, splitting: StreamOperations. Options: TcpOptions.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/task.hpp>
#include <skua/net/stream_operations.hpp>
#include <skua/net/tcp_options.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace skua {

/// How several addresses of one host are tried.
struct ConnectOptions {
  ConnectOptions() = default;
  /// For each address: then its attempt has failed with timed_out.
  Duration attempt_timeout = std::chrono::seconds(10);
  /// The next address is tried when the one before it has failed, or has not answered for so long ("happy eyeballs",
  /// RFC 8305). The first connection wins, the other attempts are given up. Duration::max(): one after the other.
  Duration stagger = std::chrono::milliseconds(250);
};

class TcpStream : public TcpOptions, public StreamOperations<TcpStream> {
 public:
  /// Connects. Errors: connection_refused, timed_out (by the kernel, after minutes: see timeout()),
  /// network_unreachable, ..., with the address. Cancel safety: dropping it gives the attempt up.
  static Task<Result<TcpStream>> connect(SocketAddress address);
  /// Connects to the first of several addresses that answers. They are tried in their order, but the two families take
  /// turns. The error names each address with what was wrong with it; its code is the last one's. No address at all:
  /// invalid_argument. Cancel safety: dropping it gives all attempts up.
  static Task<Result<TcpStream>> connect(std::vector<SocketAddress> addresses,
                                         ConnectOptions options = ConnectOptions());

  /// Takes over a connected, non-blocking socket.
  explicit TcpStream(Socket socket) noexcept : TcpOptions(std::move(socket)) {}

 private:
  friend class StreamOperations<TcpStream>;
};

using TcpReader = ReadHalf<TcpStream>;
using TcpWriter = WriteHalf<TcpStream>;

}  // namespace skua
