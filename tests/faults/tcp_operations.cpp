// TCP: what each operation does is in the header of its class; what it must do under a fault in fault_case.hpp.
#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"
#include "tasks.hpp"

#include <array>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

constexpr int rounds = 8;

struct TcpLink {
  static Task<Linked<TcpStream>> make() {
    PeerListener listener;
    TcpStream stream = co_await connect_to(listener.address());
    co_return Linked<TcpStream>(std::move(stream), listener.accept());
  }
};

// --- Connecting

Task<> connects_often(Bench& bench) {
  const EchoPeer peer;
  bench.start_faults();
  for (int made = 0; made < rounds && !bench.gives_up();) {
    Result<TcpStream> stream = co_await TcpStream::connect(peer.address());
    if (!bench.note(stream)) continue;
    bench.expect((co_await echoes(*stream)).has_value(), "the connection does not work");
    ++made;
  }
  if (!bench.gives_up()) bench.finish();
}

// An attempt that goes on in the background, as it does over a network.
Task<> connects_in_the_background(Bench& bench) {
  bench.plan().on(Call::connect).always().fails(EINTR);
  co_await connects_often(bench);
}

// --- Accepting

struct TcpAccepting {
  using Connection = Accepted;
  Descriptor connect() const { return connect_peer(listener.local_address().value()); }
  static bool is_right(const Accepted& one) {
    return one.peer.family() == AF_INET && one.peer == one.stream.peer_address().value_or(SocketAddress());
  }
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
};

// --- Calls that do not wait

Task<> binds(Bench& bench) {
  bench.start_faults();
  for (int made = 0; made < rounds && !bench.gives_up();) {
    const auto listener = TcpListener::bind(SocketAddress::loopback(0));
    if (!bench.note(listener)) continue;
    connect_peer(listener->local_address().value());
    ++made;
  }
  if (!bench.gives_up()) bench.finish();
  co_return;
}

template <class Body>
Task<> on_a_stream(Bench& bench, Body body) {
  const EchoPeer peer;
  TcpStream stream = co_await connect_to(peer.address());
  bench.start_faults(fd_of(stream));
  for (int done = 0; done < rounds && !bench.gives_up();) done += body(bench, stream) ? 1 : 0;
  const Result<void> echoed = co_await echoes(stream);
  bench.expect(echoed.has_value(), "the connection does not work any more");
  if (!bench.gives_up()) bench.finish();
}

Task<> sets_options(Bench& bench) {
  constexpr auto set = [](Bench& on, TcpStream& stream) {
    if (!on.note(stream.set_nodelay(true))) return false;
    on.expect(stream.nodelay().value(), "the option is not set");
    return true;
  };
  return on_a_stream(bench, set);
}
Task<> sets_linger(Bench& bench) {
  return on_a_stream(bench, [](Bench& on, TcpStream& stream) { return on.note(stream.set_linger(std::nullopt)); });
}
Task<> gets_options(Bench& bench) {
  return on_a_stream(bench, [](Bench& on, TcpStream& stream) {
    const Result<bool> nodelay = stream.nodelay();
    if (!on.note(nodelay)) return false;
    on.expect(!*nodelay, "the option has another value");
    return true;
  });
}
Task<> gets_local_address(Bench& bench) {
  return on_a_stream(bench, [](Bench& on, TcpStream& stream) {
    const auto address = stream.local_address();
    if (on.note(address)) on.expect(address->port() != 0, "the address is none");
    return address.has_value();
  });
}
Task<> gets_peer_address(Bench& bench) {
  return on_a_stream(bench, [](Bench& on, TcpStream& stream) {
    const auto address = stream.peer_address();
    if (on.note(address)) on.expect(address->port() != 0, "the address is none");
    return address.has_value();
  });
}

Task<> shuts_down(Bench& bench) {
  PeerListener listener;
  bench.start_faults();
  for (int done = 0; done < rounds && !bench.gives_up(); ++done) {
    TcpStream stream = (co_await TcpStream::connect(listener.address())).value();
    const Descriptor peer = listener.accept();
    while (!bench.note(stream.shutdown(Shutdown::write)) && !bench.gives_up()) {
    }
    // A fault may have said that it was ended already.
    bench.expect(sees_the_end(peer) || bench.plan().delivered() != 0, "the peer does not see the end");
  }
  if (!bench.gives_up()) bench.finish();
}

// --- Closing

// Each stream has waited, so that the driver knows it; each descriptor is closed once, whatever close() says.
Task<> closes(Bench& bench) {
  PeerListener listener;
  bench.start_faults();
  for (int done = 0; done < rounds; ++done) {
    std::optional<TcpStream> stream(co_await connect_to(listener.address()));
    const Descriptor peer = listener.accept();
    std::array<char, 8> buffer;
    const auto first = co_await select(stream->read(buffer), sleep(1ms));
    bench.expect(first.index() == 1, "a read is ready with nothing");
    stream.reset();
    auto ended = [&peer] { return sees_the_end(peer); };
    bench.expect(co_await comes_true(ended), "the peer does not see that the connection is closed");
  }
  auto closed = [&bench] { return bench.plan().calls(Call::close) >= rounds; };
  bench.expect(co_await comes_true(closed) && bench.plan().calls(Call::close) == rounds,
               "a descriptor was not closed exactly once");
  bench.finish();
}

}  // namespace

std::vector<OperationUnderTest> tcp_operations() {
  const OperationUnderTest read = {.name = "tcp_read",
                                   .call = Call::recv,
                                   .reported_as = "read",
                                   .run = &reads<TcpLink, ReadOne>,
                                   .transfers = true,
                                   .zero = Answer::reports_the_end};
  return {
      read,
      watch_of(read),
      {.name = "tcp_read_vectored",
       .call = Call::recvmsg,
       .reported_as = "read_vectored",
       .run = &reads<TcpLink, ReadTwoParts>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "tcp_write",
       .call = Call::send,
       .reported_as = "write",
       .run = &writes<TcpLink, WriteOne>,
       .transfers = true},
      {.name = "tcp_write_vectored",
       .call = Call::sendmsg,
       .reported_as = "write_vectored",
       .run = &writes<TcpLink, WriteTwoParts>,
       .transfers = true},
      {.name = "tcp_write_all",
       .call = Call::send,
       .reported_as = "write_all",
       .run = &writes_all<TcpLink>,
       .transfers = true},
      // No port left is EAGAIN, and an error.
      {.name = "tcp_connect",
       .call = Call::connect,
       .reported_as = "connect",
       .run = &connects_often,
       .retried = {EINTR},
       .subject = "127.0.0.1:"},
      {.name = "tcp_connect_socket",
       .call = Call::socket,
       .reported_as = "socket",
       .run = &connects_often,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_connect_peer",
       .call = Call::getpeername,
       .reported_as = "connect",
       .run = &connects_in_the_background,
       .retried = {},
       .impossible = {EINTR},
       .subject = "127.0.0.1:"},
      {.name = "tcp_connect_outcome",
       .call = Call::getsockopt,
       .reported_as = "connect",
       .run = &connects_in_the_background,
       .retried = {},
       .impossible = {EINTR}},
      // A shortage passes, connections that ended in the queue are passed over, and the others stay in it.
      {.name = "tcp_accept",
       .call = Call::accept4,
       .reported_as = "accept",
       .run = &accepts<TcpAccepting>,
       .retried = {EINTR, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM}},
      {.name = "tcp_accept_ended_connection",
       .call = Call::accept4,
       .reported_as = "accept",
       .run = &accepts<TcpAccepting>,
       .retried = {ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT, EOPNOTSUPP},
       .faults = {Fault(Fault::Kind::error, ECONNABORTED), Fault(Fault::Kind::error, EPROTO),
                  Fault(Fault::Kind::error, ENETDOWN), Fault(Fault::Kind::error, ENETUNREACH),
                  Fault(Fault::Kind::error, EHOSTDOWN), Fault(Fault::Kind::error, EHOSTUNREACH),
                  Fault(Fault::Kind::error, ENOPROTOOPT), Fault(Fault::Kind::error, EOPNOTSUPP),
                  Fault(Fault::Kind::error, EPERM)}},
      {.name = "tcp_bind_socket",
       .call = Call::socket,
       .reported_as = "socket",
       .run = &binds,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_bind",
       .call = Call::bind,
       .reported_as = "bind",
       .run = &binds,
       .retried = {},
       .impossible = {EINTR},
       .subject = "127.0.0.1:0"},
      {.name = "tcp_listen",
       .call = Call::listen,
       .reported_as = "listen",
       .run = &binds,
       .retried = {},
       .impossible = {EINTR},
       .subject = "127.0.0.1:"},
      {.name = "tcp_bind_reuse",
       .call = Call::setsockopt,
       .reported_as = "set SO_REUSEADDR",
       .run = &binds,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_set_nodelay",
       .call = Call::setsockopt,
       .reported_as = "set TCP_NODELAY",
       .run = &sets_options,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_set_linger",
       .call = Call::setsockopt,
       .reported_as = "set SO_LINGER",
       .run = &sets_linger,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_get_nodelay",
       .call = Call::getsockopt,
       .reported_as = "get TCP_NODELAY",
       .run = &gets_options,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_local_address",
       .call = Call::getsockname,
       .reported_as = "getsockname",
       .run = &gets_local_address,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_peer_address",
       .call = Call::getpeername,
       .reported_as = "getpeername",
       .run = &gets_peer_address,
       .retried = {},
       .impossible = {EINTR}},
      {.name = "tcp_shutdown",
       .call = Call::shutdown,
       .reported_as = "shutdown",
       .run = &shuts_down,
       .retried = {},
       .impossible = {EINTR}},
      // The peer was faster.
      {.name = "tcp_shutdown_of_an_ended_connection",
       .call = Call::shutdown,
       .reported_as = "shutdown",
       .run = &shuts_down,
       .retried = {ENOTCONN},
       .faults = {Fault(Fault::Kind::error, ENOTCONN)}},
      {.name = "tcp_close", .call = Call::close, .reported_as = "", .run = &closes},
  };
}

}  // namespace skua::tests
