// TCP over loopback.
#include "each_runtime.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class tcp : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, tcp, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

TcpListener listen(const char* address = "127.0.0.1:0") {
  return TcpListener::bind(SocketAddress::parse(address).value()).value();
}
SocketAddress address_of(const TcpListener& listener) { return listener.local_address().value(); }

struct Pair {
  Pair(TcpStream a, TcpStream b) noexcept : client(std::move(a)), server(std::move(b)) {}
  TcpStream client;
  TcpStream server;
};
Task<Pair> connect_pair() {
  TcpListener listener = listen();
  TcpStream client = (co_await TcpStream::connect(address_of(listener))).value();
  Accepted accepted = (co_await listener.accept()).value();
  co_return Pair(std::move(client), std::move(accepted.stream));
}

/// Bytes that tell their place.
char byte_at(std::size_t position) { return static_cast<char>((position * 2654435761u) >> 13); }
std::vector<char> pattern(std::size_t from, std::size_t size) {
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(from + i);
  return bytes;
}

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

Task<Result<void>> echo(TcpStream stream) {
  std::array<char, 16384> buffer;
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}

// --- Bytes ----------------------------------------------------------------------------------------------------------

TEST_P(tcp, echoes_small_messages) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto server = spawn(echo(std::move(pair.server)));
    for (std::size_t i = 1; i <= 200; ++i) {
      const auto sent = pattern(i, i);
      (co_await pair.client.write_all(sent)).value();
      std::vector<char> received(i);
      EXPECT_EQ((co_await read_exactly(pair.client, received.data(), i)).value(), i);
      EXPECT_EQ(sent, received);
    }
    pair.client.shutdown(Shutdown::write).value();
    std::array<char, 1> end;
    EXPECT_EQ((co_await pair.client.read(end)).value(), 0u);
    EXPECT_TRUE((co_await server).value());
  };
  run(body());
}

TEST_P(tcp, block_on_may_use_sockets_too) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    spawn(echo(std::move(pair.server))).detach();
    std::array<char, 4> buffer;
    for (int i = 0; i < 20; ++i) {
      (co_await pair.client.write_all("ping")).value();
      EXPECT_EQ((co_await read_exactly(pair.client, buffer.data(), 4)).value(), 4u);
    }
  };
  runtime_->block_on(body());
}

constexpr std::size_t large = scaled<std::size_t>(10 << 20, 4 << 20);

template <class Writer>
Task<> send_pattern(Writer& to) {
  for (std::size_t done = 0; done < large;) {
    const auto block = pattern(done, std::min<std::size_t>(50'000, large - done));
    const Result<void> sent = co_await to.write_all(block);  // named: g++ 12 knows no type of a dependent co_await
    sent.value();
    done += block.size();
  }
}
template <class Reader>
Task<std::size_t> count_good_bytes(Reader& from) {
  std::vector<char> buffer(40'000);
  std::size_t good = 0;
  for (;;) {
    const Result<std::size_t> count = co_await from.read(buffer);
    const std::size_t n = count.value();
    if (n == 0) co_return good;
    for (std::size_t i = 0; i < n; ++i) good += buffer[i] == byte_at(good) ? 1 : 0;
    if (good >= large) co_return good;
  }
}
Task<std::size_t> both_ways_borrowed(TcpStream stream) {
  auto [reader, writer] = stream.split();
  TcpReader& from = reader;
  TcpWriter& to = writer;
  auto [good, sent] = co_await join(count_good_bytes(from), send_pattern(to));
  co_return good;
}
Task<> send_owned(TcpWriter writer) { co_await send_pattern(writer); }
Task<std::size_t> both_ways_owned(TcpStream stream) {
  auto halves = std::move(stream).into_split();
  auto sender = spawn(send_owned(std::move(halves.second)));
  const std::size_t good = co_await count_good_bytes(halves.first);
  (co_await sender).value();
  co_return good;
}

TEST_P(tcp, ten_megabytes_both_ways_at_once) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto left = spawn(both_ways_borrowed(std::move(pair.client)));
    auto right = spawn(both_ways_owned(std::move(pair.server)));
    EXPECT_EQ((co_await left).value(), large);
    EXPECT_EQ((co_await right).value(), large);
  };
  run(body());
}

TEST_P(tcp, vectored_reads_and_writes) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    std::string a = "Hello, ", b = "", c = "world";
    const std::array<iovec, 3> out{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}, iovec{c.data(), c.size()}};
    EXPECT_EQ((co_await pair.client.write_vectored(out)).value(), 12u);
    std::array<char, 5> first{};
    std::array<char, 20> second{};
    const std::array<iovec, 2> in{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    EXPECT_EQ((co_await pair.server.read_vectored(in)).value(), 12u);
    EXPECT_EQ(std::string(first.data(), 5) + std::string(second.data(), 7), "Hello, world");
  };
  run(body());
}

TEST_P(tcp, read_into_an_empty_buffer_is_ready_with_nothing) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    EXPECT_EQ((co_await pair.client.read(MutableBuffer(nullptr, 0))).value(), 0u);
    EXPECT_EQ((co_await pair.client.write(ConstBuffer(nullptr, 0))).value(), 0u);
    (co_await pair.client.write_all(ConstBuffer(nullptr, 0))).value();
    (co_await pair.server.write_all("x")).value();
    std::array<char, 8> buffer;
    EXPECT_EQ((co_await pair.client.read(buffer)).value(), 1u);
  };
  run(body());
}

// --- Ends -----------------------------------------------------------------------------------------------------------

TEST_P(tcp, half_close_ends_each_way_by_itself) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    std::array<char, 16> buffer;
    (co_await pair.client.write_all("last")).value();
    pair.client.shutdown(Shutdown::write).value();
    EXPECT_EQ((co_await read_exactly(pair.server, buffer.data(), 16)).value(), 4u);
    EXPECT_EQ((co_await pair.server.read(buffer)).value(), 0u);
    EXPECT_EQ((co_await pair.server.read(buffer)).value(), 0u) << "and again";
    (co_await pair.server.write_all("answer")).value();
    EXPECT_EQ((co_await pair.client.read(buffer)).value(), 6u);
    pair.server.shutdown(Shutdown::write).value();
    EXPECT_EQ((co_await pair.client.read(buffer)).value(), 0u);
    pair.client.shutdown(Shutdown::both).value();  // also when all is over
  };
  run(body());
}

TEST_P(tcp, dropped_owned_writer_ends_its_direction) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto halves = std::move(pair.client).into_split();
    {
      const TcpWriter dropped = std::move(halves.second);
    }
    std::array<char, 16> buffer;
    EXPECT_EQ((co_await pair.server.read(buffer)).value(), 0u);
    (co_await pair.server.write_all("still")).value();
    EXPECT_EQ((co_await halves.first.read(buffer)).value(), 5u);
  };
  run(body());
}

TEST_P(tcp, write_after_shutdown_is_an_error_and_no_signal) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    pair.client.shutdown(Shutdown::write).value();
    EXPECT_EQ((co_await pair.client.write("x")).error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await pair.client.write_all("x")).error(), std::errc::broken_pipe);
  };
  run(body());
}

Task<> reset_after(TcpStream stream, Duration delay) {
  co_await sleep(delay);
  stream.set_linger(0s).value();
}

TEST_P(tcp, peer_resets_while_reading) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto peer = spawn(reset_after(std::move(pair.server), 5ms));
    std::array<char, 16> buffer;
    const auto result = co_await pair.client.read(buffer);
    EXPECT_EQ(result.error(), std::errc::connection_reset);
    EXPECT_STREQ(result.error().operation(), "read");
    (co_await peer).value();
  };
  run(body());
}

TEST_P(tcp, peer_resets_while_writing) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto peer = spawn(reset_after(std::move(pair.server), 5ms));
    const std::vector<char> block(1 << 20);
    Result<void> result;
    while (result) result = co_await pair.client.write_all(block);
    EXPECT_TRUE(result.error() == std::errc::connection_reset || result.error() == std::errc::broken_pipe)
        << result.error().message();
    (co_await peer).value();
  };
  run(body());
}

Task<> read_for_ever(TcpStream stream) {
  std::array<char, 16> buffer;
  static_cast<void>(co_await stream.read(buffer));
}

TEST_P(tcp, dropping_a_stream_with_a_pending_read_ends_the_connection) {
  auto body = []() -> Task<> {
    for (int i = 0; i < 20; ++i) {
      Pair pair = co_await connect_pair();
      auto reader = spawn(read_for_ever(std::move(pair.client)));
      if (i % 2 == 0) co_await sleep(1ms);
      reader.abort();
      std::array<char, 16> buffer;
      const auto end = co_await timeout(5s, pair.server.read(buffer));
      EXPECT_EQ(end.value(), 0u);
    }
  };
  run(body());
}

TEST_P(tcp, destroyed_runtime_ends_connections_with_pending_reads) {
  auto connect_many = [](std::vector<TcpStream>& servers) -> Task<> {
    for (int i = 0; i < 100; ++i) {
      Pair pair = co_await connect_pair();
      spawn(read_for_ever(std::move(pair.client))).detach();
      servers.push_back(std::move(pair.server));
    }
    for (int i = 0; i < 1000; ++i) spawn([]() -> Task<> { co_await sleep(1h); }).detach();
    co_await sleep(2ms);
  };
  Runtime other = build(GetParam()).value();
  std::vector<TcpStream> servers;
  run(connect_many(servers));
  runtime_.reset();
  auto all_end = [](std::vector<TcpStream>& streams) -> Task<> {
    for (TcpStream& stream : streams) {
      std::array<char, 4> buffer;
      // The streams have met the other runtime's driver only if they had to wait; none had.
      EXPECT_EQ((co_await timeout(5s, stream.read(buffer))).value(), 0u);
    }
  };
  other.block_on(all_end(servers));
}

// --- Connecting -----------------------------------------------------------------------------------------------------

TEST_P(tcp, refused_connection_names_the_address) {
  auto body = []() -> Task<> {
    SocketAddress address;
    {
      const TcpListener listener = listen();
      address = address_of(listener);
    }
    const auto refused = co_await TcpStream::connect(address);
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error(), std::errc::connection_refused);
    EXPECT_EQ(refused.error().message(), "connect " + address.to_string() + ": Connection refused");
  };
  run(body());
  runtime_->block_on(body());
}

TEST_P(tcp, address_in_use_names_the_address) {
  const TcpListener listener = listen();
  const auto second = TcpListener::bind(address_of(listener));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), "bind " + address_of(listener).to_string() + ": Address already in use");
}

TEST_P(tcp, ipv6) {
  auto listener = TcpListener::bind(SocketAddress::parse("[::1]:0").value());
  if (!listener) GTEST_SKIP() << "no IPv6 here: " << listener.error().message();
  auto body = [](TcpListener& on) -> Task<> {
    TcpStream client = (co_await TcpStream::connect(address_of(on))).value();
    Accepted accepted = (co_await on.accept()).value();
    EXPECT_EQ(accepted.peer, client.local_address().value());
    EXPECT_EQ(accepted.peer.to_string().substr(0, 6), "[::1]:");
    client.set_ttl(3).value();
    (co_await client.write_all("six")).value();
    std::array<char, 8> buffer;
    EXPECT_EQ((co_await accepted.stream.read(buffer)).value(), 3u);
  };
  run(body(*listener));
}

TEST_P(tcp, socket_options) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    TcpStream& stream = pair.client;
    for (const bool on : {true, false}) {
      stream.set_nodelay(on).value();
      EXPECT_EQ(stream.nodelay().value(), on);
      stream.set_keepalive(on).value();
      EXPECT_EQ(stream.socket().option(SOL_SOCKET, SO_KEEPALIVE, "get").value() != 0, on);
    }
    stream.set_ttl(7).value();
    EXPECT_EQ(stream.socket().option(IPPROTO_IP, IP_TTL, "get").value(), 7);
    stream.set_send_buffer_size(32768).value();
    EXPECT_EQ(stream.socket().option(SOL_SOCKET, SO_SNDBUF, "get").value(), 65536);
    stream.set_receive_buffer_size(32768).value();
    EXPECT_EQ(stream.socket().option(SOL_SOCKET, SO_RCVBUF, "get").value(), 65536);
    stream.set_linger(3s).value();
    stream.set_linger(std::nullopt).value();
    EXPECT_FALSE(stream.set_ttl(1000));
    EXPECT_EQ(pair.client.peer_address().value(), pair.server.local_address().value());
    EXPECT_NE(::fcntl(stream.socket().native_handle(), F_GETFD) & FD_CLOEXEC, 0);
  };
  run(body());
}

// --- Accepting and cancelling ---------------------------------------------------------------------------------------

Task<> greets(TcpStream stream) { static_cast<void>(co_await stream.write_all("hello")); }
Task<> accepts_at_times(TcpListener& listener) {
  for (int round = 0;; ++round) {
    // The accept is cancelled whenever the other branch is ready first.
    if (round % 2 == 0) {
      auto first = co_await select(listener.accept(), yield_now());
      if (first.index() == 0) spawn(greets(std::get<0>(std::move(first)).value().stream)).detach();
    } else {
      auto first = co_await select(listener.accept(), sleep(Duration((round % 7) * 50us)));
      if (first.index() == 0) spawn(greets(std::get<0>(std::move(first)).value().stream)).detach();
    }
  }
}
Task<int> is_greeted(SocketAddress address, int times) {
  int greeted = 0;
  for (int i = 0; i < times; ++i) {
    TcpStream stream = (co_await TcpStream::connect(address)).value();
    std::array<char, 5> buffer;
    greeted += (co_await read_exactly(stream, buffer.data(), 5)).value() == 5 ? 1 : 0;
  }
  co_return greeted;
}

TEST_P(tcp, accepts_cancelled_at_random_lose_no_client) {
  auto body = []() -> Task<int> {
    TcpListener listener = listen();
    auto acceptor = spawn(accepts_at_times(listener));
    std::vector<JoinHandle<int>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(spawn(is_greeted(address_of(listener), scaled(50, 10))));
    int greeted = 0;
    for (auto& client : clients) greeted += (co_await client).value();
    acceptor.abort();
    EXPECT_TRUE((co_await acceptor).error().is_cancelled());
    co_return greeted;
  };
  EXPECT_EQ(run(body()), 8 * scaled(50, 10));
}

Task<> accepts_for_ever(TcpListener& listener) {
  for (;;) spawn(greets((co_await listener.accept()).value().stream)).detach();
}

TEST_P(tcp, many_tasks_accept_on_one_listener) {
  auto body = []() -> Task<int> {
    TcpListener listener = listen();
    std::vector<JoinHandle<void>> acceptors;
    for (int i = 0; i < 8; ++i) acceptors.push_back(spawn(accepts_for_ever(listener)));
    const int greeted = co_await is_greeted(address_of(listener), scaled(200, 50));
    for (auto& acceptor : acceptors) acceptor.abort();
    for (auto& acceptor : acceptors) static_cast<void>(co_await acceptor);
    co_return greeted;
  };
  EXPECT_EQ(run(body()), scaled(200, 50));
}

Task<std::size_t> reads_with_cancellations(TcpStream stream, std::size_t total) {
  std::size_t good = 0;
  std::vector<char> buffer(30'000);
  for (std::size_t round = 0; good < total; ++round) {
    auto read = stream.read(MutableBuffer(buffer.data(), 1 + (round * 7919) % buffer.size()));
    auto first = co_await select(std::move(read), yield_now(), sleep(Duration((round % 5) * 20us)));
    if (first.index() != 0) continue;
    const std::size_t n = std::get<0>(first).value();
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) good += buffer[i] == byte_at(good) ? 1 : 0;
  }
  co_return good;
}

TEST_P(tcp, reads_cancelled_at_random_lose_no_byte) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    auto reader = spawn(reads_with_cancellations(std::move(pair.server), large));
    co_await send_pattern(pair.client);
    EXPECT_EQ((co_await reader).value(), large);
  };
  run(body());
}

TEST_P(tcp, a_thousand_connections_leave_no_descriptor) {
  auto body = []() -> Task<> {
    TcpListener listener = listen();
    auto acceptor = spawn(accepts_for_ever(listener));
    EXPECT_EQ(co_await is_greeted(address_of(listener), scaled(1000, 100)), scaled(1000, 100));
    acceptor.abort();
    static_cast<void>(co_await acceptor);
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() == before; })) << open_descriptors() << " of " << before;
}

// --- Always ready ---------------------------------------------------------------------------------------------------

// Its peer never lets it wait: only the budget ends its polls.
Task<> writes_and_reads_for_ever(Pair& pair) {
  std::array<char, 1> byte{};
  for (;;) {
    (co_await pair.client.write_all(byte)).value();
    (co_await pair.server.read(byte)).value();
  }
}

TEST_P(tcp, timeout_fires_around_a_loop_that_never_waits) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    const auto late = co_await timeout(5ms, writes_and_reads_for_ever(pair));
    EXPECT_EQ(late.error(), std::errc::timed_out);
  };
  run(body());
}

TEST_P(tcp, timeout_fires_in_block_on_around_a_loop_that_never_waits) {
  auto body = []() -> Task<> {
    Pair pair = co_await connect_pair();
    const Instant end = now() + watchdog;
    auto loop = [](Pair& both, Instant until) -> Task<> {
      std::array<char, 1> byte{};
      while (now() < until) {
        (co_await both.client.write_all(byte)).value();
        (co_await both.server.read(byte)).value();
      }
    };
    const auto late = co_await timeout(5ms, loop(pair, end));
    EXPECT_FALSE(late);
  };
  runtime_->block_on(body());
}

}  // namespace
}  // namespace skua::tests
