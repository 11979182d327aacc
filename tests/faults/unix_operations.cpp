// Unix sockets: streams, datagrams, packets; and descriptors that are passed.
#include "datagram_runs.hpp"
#include "tasks.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace skua::tests {

namespace {

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
using StreamLink = UnixLink<UnixStream, SOCK_STREAM>;
using DatagramLink = UnixLink<UnixDatagram, SOCK_DGRAM>;
using SeqpacketLink = UnixLink<UnixSeqpacket, SOCK_SEQPACKET>;

UnixAddress new_address() {
  static int count = 0;
  return UnixAddress::abstract("skua-faults-" + std::to_string(::getpid()) + "-" + std::to_string(++count)).value();
}

Task<bool> are_connected(UnixStream& one, UnixStream& other) {
  std::array<char, 4> buffer;
  const Result<void> written = co_await one.write_all("ping");
  const Result<std::size_t> count = co_await other.read(buffer);
  co_return written.has_value() && count.has_value() && *count == buffer.size();
}

// --- Making connections

Task<> makes_pairs(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    auto ends = UnixStream::pair();
    if (!bench.note(ends)) co_return false;
    bench.expect(co_await are_connected(ends->first, ends->second), "the pair does not work");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> connects(Bench& bench) {
  const UnixAddress address = new_address();
  UnixListener listener = UnixListener::bind(address).value();
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Result<UnixStream> stream = co_await UnixStream::connect(address);
    if (!bench.note(stream)) co_return false;
    UnixStream accepted = (co_await listener.accept()).value();
    bench.expect(co_await are_connected(*stream, accepted), "the connection does not work");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> listens(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    const UnixAddress address = new_address();
    Result<UnixListener> listener = UnixListener::bind(address);
    if (!bench.note(listener)) co_return false;
    const Result<UnixStream> stream = co_await UnixStream::connect(address);
    bench.expect(stream.has_value(), "nobody listens");
    co_return true;
  };
  co_await eight_times(bench, body);
}

struct UnixAccepting {
  using Connection = UnixStream;
  UnixAccepting() : address(new_address()), listener(UnixListener::bind(address).value()) {}
  Descriptor connect() const {
    Descriptor peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(peer.get(), address.native(), address.native_size()));
    return peer;
  }
  static bool is_right(const UnixStream& stream) { return stream.peer_credentials().value().pid == ::getpid(); }
  UnixAddress address;
  UnixListener listener;
};

// --- Datagrams to an address

class Correspondent {
 public:
  Correspondent(UnixDatagram socket, const UnixAddress& to) : socket_(std::move(socket)), to_(to) {}
  const Socket& socket() const noexcept { return socket_.socket(); }
  auto send(const PieceBuffer& bytes) { return socket_.send_to(bytes, to_); }

 private:
  UnixDatagram socket_;
  UnixAddress to_;
};

struct CorrespondentLink {
  static Task<Linked<Correspondent>> make() {
    const UnixAddress address = new_address();
    Descriptor peer(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(peer.get(), address.native(), address.native_size()) != 0) {
      throw std::system_error(errno, std::generic_category(), "bind");
    }
    co_return Linked<Correspondent>(Correspondent(UnixDatagram::unbound().value(), address), std::move(peer));
  }
};

// --- Passing descriptors

struct WriteWithDescriptor {
  auto operator()(UnixStream& stream, PieceBuffer& from) const {
    static const int passed[] = {STDIN_FILENO};
    return stream.send_with_descriptors(from, passed);
  }
};

/// With each piece comes a descriptor, exactly once, whatever happens to the call that receives it.
Task<> receives_descriptors(Bench& bench) {
  auto link = co_await StreamLink::make();
  Pace pace(bench.plan());
  bench.start_faults(fd_of(link.stream));
  const SendingPeer peer(std::move(link.peer), pace, pieces, piece, STDIN_FILENO);
  std::size_t descriptors = 0;
  for (std::size_t total = 0; total < pieces * piece && !bench.gives_up();) {
    PieceBuffer buffer;
    const Result<ReceivedDescriptors> received = co_await link.stream.receive_with_descriptors(buffer, 4);
    if (!bench.note(received)) continue;
    if (received->size == 0) {
      bench.note_end();
      continue;
    }
    check_bytes(bench, buffer.data(), received->size, total);
    bench.expect(!received->descriptors_lost, "descriptors were lost");
    descriptors += received->descriptors.size();
    total += received->size;
    pace.done(received->size);
  }
  bench.expect(bench.gives_up() || descriptors == pieces, "not each descriptor has arrived once");
  if (!bench.gives_up()) bench.finish();
}

std::vector<OperationUnderTest> connections() {
  const auto does_not_wait = [](const char* name, Call call, const char* reported_as, Task<> (*run)(Bench&)) {
    return OperationUnderTest{
        .name = name, .call = call, .reported_as = reported_as, .run = run, .retried = {}, .impossible = {EINTR}};
  };
  std::vector<OperationUnderTest> all = {
      does_not_wait("unix_pair", Call::socketpair, "socketpair", &makes_pairs),
      does_not_wait("unix_connect_socket", Call::socket, "socket", &connects),
      does_not_wait("unix_bind", Call::bind, "bind", &listens),
      does_not_wait("unix_listen", Call::listen, "listen", &listens),
      // EAGAIN: the listener's queue is full.
      {.name = "unix_connect",
       .call = Call::connect,
       .reported_as = "connect",
       .run = &connects,
       .impossible = {EINTR},
       .subject = "@skua-faults"},
      // As of TCP: a shortage passes.
      {.name = "unix_accept",
       .call = Call::accept4,
       .reported_as = "accept",
       .run = &accepts<UnixAccepting>,
       .retried = {EINTR, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM}},
  };
  for (OperationUnderTest& operation : all) {
    if (operation.call == Call::bind || operation.call == Call::listen) operation.subject = "@skua-faults";
  }
  return all;
}

std::vector<OperationUnderTest> streams() {
  const OperationUnderTest read = {.name = "unix_read",
                                   .call = Call::recv,
                                   .reported_as = "read",
                                   .run = &reads<StreamLink, ReadOne>,
                                   .transfers = true,
                                   .zero = Answer::reports_the_end};
  return {
      read,
      watch_of(read),
      {.name = "unix_read_vectored",
       .call = Call::recvmsg,
       .reported_as = "read_vectored",
       .run = &reads<StreamLink, ReadTwoParts>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "unix_write",
       .call = Call::send,
       .reported_as = "write",
       .run = &writes<StreamLink, WriteOne>,
       .transfers = true},
      {.name = "unix_write_vectored",
       .call = Call::sendmsg,
       .reported_as = "write_vectored",
       .run = &writes<StreamLink, WriteTwoParts>,
       .transfers = true},
      {.name = "unix_write_all",
       .call = Call::send,
       .reported_as = "write_all",
       .run = &writes_all<StreamLink>,
       .transfers = true},
      {.name = "unix_send_descriptors",
       .call = Call::sendmsg,
       .reported_as = "send_with_descriptors",
       .run = &writes<StreamLink, WriteWithDescriptor>,
       .transfers = true},
      {.name = "unix_receive_descriptors",
       .call = Call::recvmsg,
       .reported_as = "receive_with_descriptors",
       .run = &receives_descriptors,
       .transfers = true,
       .zero = Answer::reports_the_end},
  };
}

std::vector<OperationUnderTest> messages() {
  const OperationUnderTest recv = {
      .name = "unix_datagram_recv", .call = Call::recv, .reported_as = "recv", .run = &receives<DatagramLink, Recv>};
  const OperationUnderTest recv_packet = {.name = "unix_seqpacket_recv",
                                          .call = Call::recv,
                                          .reported_as = "recv",
                                          .run = &receives<SeqpacketLink, Recv>,
                                          .zero = Answer::reports_the_end};
  return {
      recv,
      watch_of(recv),
      recv_packet,
      watch_of(recv_packet),
      {.name = "unix_datagram_recv_from",
       .call = Call::recvfrom,
       .reported_as = "recv_from",
       .run = &receives<DatagramLink, RecvFrom>},
      {.name = "unix_datagram_send", .call = Call::send, .reported_as = "send", .run = &sends<DatagramLink, Send>},
      {.name = "unix_datagram_send_to",
       .call = Call::sendto,
       .reported_as = "send_to",
       .run = &sends<CorrespondentLink, Send>},
      {.name = "unix_seqpacket_send", .call = Call::send, .reported_as = "send", .run = &sends<SeqpacketLink, Send>},
  };
}

}  // namespace

std::vector<OperationUnderTest> unix_operations() {
  std::vector<OperationUnderTest> all = connections();
  for (const auto& table : {streams(), messages()}) all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace skua::tests
