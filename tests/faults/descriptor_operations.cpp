// Pipes, Unix sockets and UDP.
#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"
#include "tasks.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <vector>

namespace skua::tests {

namespace {

constexpr int rounds = 8;

// --- Pipes

struct PipeEnds {
  PipeEnds() {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    reading = Descriptor(fds[0]);
    writing = Descriptor(fds[1]);
  }
  Descriptor reading;
  Descriptor writing;
};

struct PipeToRead {
  static Task<Linked<PipeReader>> make() {
    PipeEnds ends;
    PipeReader reader = PipeReader::from_fd(OwnedFd(ends.reading.release())).value();
    co_return Linked<PipeReader>(std::move(reader), std::move(ends.writing));
  }
};
struct PipeToWrite {
  static Task<Linked<PipeWriter>> make() {
    PipeEnds ends;
    PipeWriter writer = PipeWriter::from_fd(OwnedFd(ends.writing.release())).value();
    co_return Linked<PipeWriter>(std::move(writer), std::move(ends.reading));
  }
};

Task<> makes_pipes(Bench& bench) {
  bench.start_faults();
  for (int made = 0; made < rounds && !bench.gives_up();) {
    Result<Pipe> ends = pipe();
    if (!bench.note(ends)) continue;
    std::array<char, 4> buffer;
    const Result<void> written = co_await ends->writer.write_all("ping");
    const Result<std::size_t> count = co_await ends->reader.read(buffer);
    bench.expect(written.has_value() && count.has_value() && *count == 4, "the pipe does not work");
    ++made;
  }
  if (!bench.gives_up()) bench.finish();
}

// --- Unix sockets

template <class Socket_, int type>
struct UnixLink {
  static Task<Linked<Socket_>> make() {
    int fds[2] = {-1, -1};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
    co_return Linked<Socket_>(Socket_(Socket(fds[0])), Descriptor(fds[1]));
  }
};
using UnixStreamLink = UnixLink<UnixStream, SOCK_STREAM>;
using UnixDatagramLink = UnixLink<UnixDatagram, SOCK_DGRAM>;

Task<> makes_unix_pairs(Bench& bench) {
  bench.start_faults();
  for (int made = 0; made < rounds && !bench.gives_up();) {
    auto ends = UnixStream::pair();
    if (!bench.note(ends)) continue;
    std::array<char, 4> buffer;
    const Result<void> written = co_await ends->first.write_all("ping");
    const Result<std::size_t> count = co_await ends->second.read(buffer);
    bench.expect(written.has_value() && count.has_value() && *count == 4, "the pair does not work");
    ++made;
  }
  if (!bench.gives_up()) bench.finish();
}

// --- Datagrams: each whole, each once, in their order (on the loopback device, and when none is sent unasked)

struct UdpLink {
  static Task<Linked<UdpSocket>> make() {
    Descriptor peer(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress any = SocketAddress::loopback(0);
    NativeAddress name;
    UdpSocket socket = UdpSocket::bind(any).value();
    const SocketAddress address = socket.local_address().value();
    if (::bind(peer.get(), any.native(), any.native_size()) != 0 ||
        ::getsockname(peer.get(), name.pointer(), &name.size) != 0 ||
        ::connect(peer.get(), address.native(), address.native_size()) != 0) {
      throw std::system_error(errno, std::generic_category(), "a UDP peer");
    }
    socket.connect(SocketAddress::from_native(name)).value();
    co_return Linked<UdpSocket>(std::move(socket), std::move(peer));
  }
};

template <class Link, class Receive>
Task<> receives(Bench& bench) {
  auto link = co_await Link::make();
  Pace pace(bench.plan());
  bench.start_faults(fd_of(link.stream));
  const SendingPeer peer(std::move(link.peer), pace, pieces, piece);
  std::array<char, 2 * piece> buffer;
  Receive receive;
  for (std::size_t total = 0; total < pieces * piece && !bench.gives_up();) {
    const auto received = co_await receive(link.stream, buffer);
    if (!bench.note(received)) continue;
    bench.expect(received->size == piece, "the datagram has another size");
    check_bytes(bench, buffer.data(), received->size, total);
    total += piece;
    pace.done(piece);
  }
  if (!bench.gives_up()) bench.finish();
}

struct Recv {
  template <class S>
  auto operator()(S& socket, std::array<char, 2 * piece>& into) const {
    return socket.recv(into);
  }
};
struct RecvFrom {
  template <class S>
  auto operator()(S& socket, std::array<char, 2 * piece>& into) const {
    return socket.recv_from(into);
  }
};

template <class Link>
Task<> sends(Bench& bench) {
  auto link = co_await Link::make();
  bench.start_faults(fd_of(link.stream));
  const ReceivingPeer peer(std::move(link.peer), fd_of(link.stream), bench.plan());
  std::size_t total = 0;
  while (total < pieces * piece && !bench.gives_up()) {
    const PieceBuffer bytes = bytes_from(total);
    const Result<void> sent = co_await link.stream.send(bytes);
    if (bench.note(sent)) total += piece;
  }
  bench.expect(peer.has_received(total), "what was sent is not what has arrived");
  if (!bench.gives_up()) bench.finish();
}

Task<> sends_to(Bench& bench) {
  auto link = co_await UdpLink::make();
  const SocketAddress to = link.stream.peer_address().value();
  UdpSocket socket = UdpSocket::bind(SocketAddress::loopback(0)).value();
  const SocketAddress from = socket.local_address().value();
  if (::connect(link.peer.get(), from.native(), from.native_size()) != 0) bench.note_lie("the peer hears others");
  bench.start_faults(fd_of(socket));
  const ReceivingPeer peer(std::move(link.peer), fd_of(socket), bench.plan());
  std::size_t total = 0;
  while (total < pieces * piece && !bench.gives_up()) {
    const PieceBuffer bytes = bytes_from(total);
    const Result<void> sent = co_await socket.send_to(bytes, to);
    if (bench.note(sent)) total += piece;
  }
  bench.expect(peer.has_received(total), "what was sent is not what has arrived");
  if (!bench.gives_up()) bench.finish();
}

}  // namespace

std::vector<OperationUnderTest> descriptor_operations() {
  return {
      {.name = "pipe_make",
       .call = Call::pipe2,
       .reported_as = "pipe",
       .run = &makes_pipes,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "pipe_read",
       .call = Call::read,
       .reported_as = "read",
       .run = &reads<PipeToRead, ReadOne>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "pipe_read_vectored",
       .call = Call::readv,
       .reported_as = "read_vectored",
       .run = &reads<PipeToRead, ReadTwoParts>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "pipe_write",
       .call = Call::write,
       .reported_as = "write",
       .run = &writes<PipeToWrite, WriteOne>,
       .transfers = true},
      {.name = "pipe_write_vectored",
       .call = Call::writev,
       .reported_as = "write_vectored",
       .run = &writes<PipeToWrite, WriteTwoParts>,
       .transfers = true},
      {.name = "pipe_write_all",
       .call = Call::write,
       .reported_as = "write_all",
       .run = &writes_all<PipeToWrite>,
       .transfers = true},
      {.name = "unix_pair",
       .call = Call::socketpair,
       .reported_as = "socketpair",
       .run = &makes_unix_pairs,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "unix_read",
       .call = Call::recv,
       .reported_as = "read",
       .run = &reads<UnixStreamLink, ReadOne>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "unix_write",
       .call = Call::send,
       .reported_as = "write",
       .run = &writes<UnixStreamLink, WriteOne>,
       .transfers = true},
      {.name = "unix_write_all",
       .call = Call::send,
       .reported_as = "write_all",
       .run = &writes_all<UnixStreamLink>,
       .transfers = true},
      {.name = "unix_datagram_recv",
       .call = Call::recv,
       .reported_as = "recv",
       .run = &receives<UnixDatagramLink, Recv>},
      {.name = "unix_datagram_send", .call = Call::send, .reported_as = "send", .run = &sends<UnixDatagramLink>},
      {.name = "udp_recv", .call = Call::recv, .reported_as = "recv", .run = &receives<UdpLink, Recv>},
      {.name = "udp_recv_from",
       .call = Call::recvfrom,
       .reported_as = "recv_from",
       .run = &receives<UdpLink, RecvFrom>},
      {.name = "udp_send", .call = Call::send, .reported_as = "send", .run = &sends<UdpLink>},
      {.name = "udp_send_to", .call = Call::sendto, .reported_as = "send_to", .run = &sends_to},
  };
}

}  // namespace skua::tests
