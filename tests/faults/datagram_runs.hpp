// Runs of what every socket that sends and receives whole messages does: see OperationUnderTest::run, and
// stream_runs.hpp for what a `Link` is. Each message arrives whole, once, and in its order: on one machine, and when
// none is sent before it is asked for.
#pragma once

#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace skua::tests {

using MessageBuffer = std::array<char, 2 * piece>;

struct Recv {
  template <class Socket>
  auto operator()(Socket& socket, MessageBuffer& into) const {
    return socket.recv(into);
  }
};
struct RecvFrom {
  template <class Socket>
  auto operator()(Socket& socket, MessageBuffer& into) const {
    return socket.recv_from(into);
  }
};
struct RecvTwoParts {
  template <class Socket>
  auto operator()(Socket& socket, MessageBuffer& into) {
    parts = {iovec{into.data(), 10}, iovec{into.data() + 10, into.size() - 10}};
    return socket.recv_vectored(parts);
  }
  std::array<iovec, 2> parts;
};

struct Send {
  template <class Socket>
  auto operator()(Socket& socket, const PieceBuffer& from) const {
    return socket.send(from);
  }
};
struct SendTwoParts {
  template <class Socket>
  auto operator()(Socket& socket, PieceBuffer& from) {
    parts = {iovec{from.data(), 10}, iovec{from.data() + 10, from.size() - 10}};
    return socket.send_vectored(parts);
  }
  std::array<iovec, 2> parts;
};

template <class Link, class Receive>
Task<> receives(Bench& bench) {
  auto link = co_await Link::make();
  Pace pace(bench.plan());
  bench.start_faults(fd_of(link.stream));
  const SendingPeer peer(std::move(link.peer), pace, pieces, piece);
  MessageBuffer buffer;
  Receive receive;
  for (std::size_t total = 0; total < pieces * piece && !bench.gives_up();) {
    const auto received = co_await receive(link.stream, buffer);
    if (!bench.note(received)) continue;
    if (received->size == 0) {
      bench.note_end();
      continue;
    }
    bench.expect(received->size == piece, "the message has another size");
    check_bytes(bench, buffer.data(), received->size, total);
    total += piece;
    pace.done(piece);
  }
  if (!bench.gives_up()) bench.finish();
}

template <class Link, class SendMessage>
Task<> sends(Bench& bench) {
  auto link = co_await Link::make();
  bench.start_faults(fd_of(link.stream));
  const ReceivingPeer peer(std::move(link.peer), fd_of(link.stream), bench.plan());
  SendMessage send;
  std::size_t total = 0;
  while (total < pieces * piece && !bench.gives_up()) {
    PieceBuffer bytes = bytes_from(total);
    const Result<void> sent = co_await send(link.stream, bytes);
    if (bench.note(sent)) total += piece;
  }
  bench.expect(peer.has_received(total), "what was sent is not what has arrived");
  if (!bench.gives_up()) bench.finish();
}

}  // namespace skua::tests
