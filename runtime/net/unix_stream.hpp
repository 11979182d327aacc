// UnixStream: a connection between processes of one machine.
//
// Reading, writing, splitting: StreamOperations. Passing descriptors: DescriptorPassing. Who is there: UnixOptions.
#pragma once

#include <skua/net/descriptor_passing.hpp>
#include <skua/net/stream_operations.hpp>
#include <skua/net/unix_options.hpp>

#include <utility>

namespace skua {

class UnixStream : public UnixOptions, public StreamOperations<UnixStream>, public DescriptorPassing<UnixStream> {
 public:
  /// Connects. Errors: no_such_file_or_directory, connection_refused (a file that no listener has any more),
  /// permission_denied, ..., with the address. While the listener's queue is full it waits and tries again: see
  /// timeout(). Cancel safety: dropping it gives the attempt up.
  static Task<Result<UnixStream>> connect(UnixAddress address);
  /// Two streams that are connected with each other.
  static Result<std::pair<UnixStream, UnixStream>> pair();

  /// Takes over a connected, non-blocking socket.
  explicit UnixStream(Socket socket) noexcept : UnixOptions(std::move(socket)) {
    source().expect_short_reads();  // a read stops where descriptors were passed
  }

 private:
  friend class StreamOperations<UnixStream>;
};

using UnixReader = ReadHalf<UnixStream>;
using UnixWriter = WriteHalf<UnixStream>;

}  // namespace skua
