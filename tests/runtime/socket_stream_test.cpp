// What holds for every stream of sockets, over TCP and over Unix sockets.
#include "transports.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class tcp_stream : public EachRuntime {};
class unix_stream : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, tcp_stream, each_setup, [](const auto& parameter) { return name_of(parameter.param); });
INSTANTIATE_TEST_SUITE_P(on, unix_stream, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// The body of a task, run over both transports.
#define STREAM_TEST(name)                          \
  template <class Transport>                       \
  Task<> name();                                   \
  TEST_P(tcp_stream, name) { run(name<Tcp>()); }   \
  TEST_P(unix_stream, name) { run(name<Unix>()); } \
  template <class Transport>                       \
  Task<> name()

// --- Bytes ----------------------------------------------------------------------------------------------------------

STREAM_TEST(echoes_small_messages) {
  auto pair = co_await connect_pair<Transport>();
  auto server = spawn(echo(std::move(pair.server)));
  for (std::size_t i = 1; i <= 200; ++i) {
    const auto sent = pattern(i, i);
    value_of(co_await pair.client.write_all(sent));
    std::vector<char> received(i);
    EXPECT_EQ(value_of(co_await read_exactly(pair.client, received.data(), i)), i);
    EXPECT_EQ(sent, received);
  }
  pair.client.shutdown(Shutdown::write).value();
  std::array<char, 1> end;
  EXPECT_EQ(value_of(co_await pair.client.read(end)), 0u);
  EXPECT_TRUE(value_of(co_await server));
}

template <class Transport>
Task<> pings() {
  auto pair = co_await connect_pair<Transport>();
  spawn(echo(std::move(pair.server))).detach();
  std::array<char, 4> buffer;
  for (int i = 0; i < 20; ++i) {
    value_of(co_await pair.client.write_all("ping"));
    EXPECT_EQ(value_of(co_await read_exactly(pair.client, buffer.data(), 4)), 4u);
  }
}
TEST_P(tcp_stream, block_on_may_use_sockets_too) { runtime_->block_on(pings<Tcp>()); }
TEST_P(unix_stream, block_on_may_use_sockets_too) { runtime_->block_on(pings<Unix>()); }

const std::size_t large = at_scale(scaled<std::size_t>(10 << 20, 4 << 20));

template <class Writer>
Task<> send_pattern(Writer& to) {
  for (std::size_t done = 0; done < large;) {
    const auto block = pattern(done, std::min<std::size_t>(50'000, large - done));
    value_of(co_await to.write_all(block));
    done += block.size();
  }
}
template <class Reader>
Task<std::size_t> count_good_bytes(Reader& from) {
  std::vector<char> buffer(40'000);
  std::size_t good = 0;
  for (;;) {
    const std::size_t n = value_of(co_await from.read(buffer));
    if (n == 0) co_return good;
    for (std::size_t i = 0; i < n; ++i) good += buffer[i] == byte_at(good) ? 1 : 0;
    if (good >= large) co_return good;
  }
}
template <class Stream>
Task<std::size_t> both_ways_borrowed(Stream stream) {
  auto halves = stream.split();
  auto [good, sent] = co_await join(count_good_bytes(halves.first), send_pattern(halves.second));
  co_return good;
}
template <class Writer>
Task<> send_owned(Writer writer) {
  co_await send_pattern(writer);
}
template <class Stream>
Task<std::size_t> both_ways_owned(Stream stream) {
  auto halves = std::move(stream).into_split();
  auto sender = spawn(send_owned(std::move(halves.second)));
  const std::size_t good = co_await count_good_bytes(halves.first);
  value_of(co_await sender);
  co_return good;
}

STREAM_TEST(ten_megabytes_both_ways_at_once) {
  auto pair = co_await connect_pair<Transport>();
  auto left = spawn(both_ways_borrowed(std::move(pair.client)));
  auto right = spawn(both_ways_owned(std::move(pair.server)));
  EXPECT_EQ(value_of(co_await left), large);
  EXPECT_EQ(value_of(co_await right), large);
}

STREAM_TEST(vectored_reads_and_writes) {
  auto pair = co_await connect_pair<Transport>();
  std::string a = "Hello, ", b = "", c = "world";
  const std::array<iovec, 3> out{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}, iovec{c.data(), c.size()}};
  EXPECT_EQ(value_of(co_await pair.client.write_vectored(out)), 12u);
  std::array<char, 5> first{};
  std::array<char, 20> second{};
  const std::array<iovec, 2> in{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
  EXPECT_EQ(value_of(co_await pair.server.read_vectored(in)), 12u);
  EXPECT_EQ(std::string(first.data(), 5) + std::string(second.data(), 7), "Hello, world");
}

STREAM_TEST(read_into_an_empty_buffer_is_ready_with_nothing) {
  auto pair = co_await connect_pair<Transport>();
  EXPECT_EQ(value_of(co_await pair.client.read(MutableBuffer(nullptr, 0))), 0u);
  EXPECT_EQ(value_of(co_await pair.client.write(ConstBuffer(nullptr, 0))), 0u);
  value_of(co_await pair.client.write_all(ConstBuffer(nullptr, 0)));
  EXPECT_EQ(pair.client.try_read(MutableBuffer(nullptr, 0)).value(), 0u);
  value_of(co_await pair.server.write_all("x"));
  std::array<char, 8> buffer;
  EXPECT_EQ(value_of(co_await pair.client.read(buffer)), 1u);
}

STREAM_TEST(peek_leaves_the_bytes) {
  auto pair = co_await connect_pair<Transport>();
  std::array<char, 8> buffer{};
  auto first = co_await select(pair.server.peek(buffer), yield_now());
  EXPECT_EQ(first.index(), 1u) << "nothing has been written";
  value_of(co_await pair.client.write_all("abc"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(value_of(co_await pair.server.peek(buffer)), 3u);
    EXPECT_EQ(std::string(buffer.data(), 3), "abc");
  }
  EXPECT_EQ(value_of(co_await pair.server.peek(MutableBuffer(buffer.data(), 2))), 2u);
  EXPECT_EQ(value_of(co_await pair.server.read(buffer)), 3u);
  pair.client.shutdown(Shutdown::write).value();
  EXPECT_EQ(value_of(co_await pair.server.peek(buffer)), 0u);
}

STREAM_TEST(tries_do_not_wait) {
  auto pair = co_await connect_pair<Transport>();
  std::vector<char> buffer(1 << 16);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(error_of(pair.server.try_read(buffer)), std::errc::operation_would_block);
    EXPECT_EQ(value_of(pair.client.try_write("abc")), 3u);
    value_of(co_await timeout(10s, pair.server.readable()));
    EXPECT_EQ(value_of(pair.server.try_read(buffer)), 3u);
  }
  auto none = co_await select(pair.server.readable(), sleep(2ms));
  EXPECT_EQ(none.index(), 1u) << "all has been read";

  std::size_t written = 0;
  Result<std::size_t> full = 0;
  while ((full = pair.client.try_write(buffer))) written += *full;
  EXPECT_EQ(full.error(), std::errc::operation_would_block);
  EXPECT_GT(written, 0u);
  auto reader = spawn(echo(std::move(pair.server)));  // takes all of it, until it cannot write
  value_of(co_await timeout(10s, pair.client.writable()));
  EXPECT_GT(value_of(pair.client.try_write("x")), 0u);
  reader.abort();
}

// --- Halves ---------------------------------------------------------------------------------------------------------

STREAM_TEST(halves_are_reunited) {
  using Stream = typename Transport::Stream;
  auto pair = co_await connect_pair<Transport>();
  auto mine = std::move(pair.client).into_split();
  auto others = std::move(pair.server).into_split();
  const auto wrong = Stream::reunite(std::move(mine.first), std::move(others.second));
  EXPECT_EQ(wrong.error(), std::errc::invalid_argument);
  // They are as they were: the writer has not ended its direction.
  auto stream = Stream::reunite(std::move(mine.first), std::move(mine.second)).value();
  auto other = reunite(std::move(others.first), std::move(others.second)).value();
  value_of(co_await stream.write_all("whole"));
  std::array<char, 8> buffer;
  EXPECT_EQ(value_of(co_await other.read(buffer)), 5u);

  auto borrowed = stream.split();
  EXPECT_FALSE(Stream::reunite(std::move(borrowed.first), std::move(borrowed.second)));
  value_of(co_await stream.write_all("still"));
  EXPECT_EQ(value_of(co_await other.read(buffer)), 5u);
}

STREAM_TEST(dropped_owned_writer_ends_its_direction) {
  auto pair = co_await connect_pair<Transport>();
  auto halves = std::move(pair.client).into_split();
  {
    const auto dropped = std::move(halves.second);
  }
  std::array<char, 16> buffer;
  EXPECT_EQ(value_of(co_await pair.server.read(buffer)), 0u);
  value_of(co_await pair.server.write_all("still"));
  EXPECT_EQ(value_of(co_await halves.first.read(buffer)), 5u);
}

// --- Ends -----------------------------------------------------------------------------------------------------------

STREAM_TEST(half_close_ends_each_way_by_itself) {
  auto pair = co_await connect_pair<Transport>();
  std::array<char, 16> buffer;
  value_of(co_await pair.client.write_all("last"));
  pair.client.shutdown(Shutdown::write).value();
  EXPECT_EQ(value_of(co_await read_exactly(pair.server, buffer.data(), 16)), 4u);
  EXPECT_EQ(value_of(co_await pair.server.read(buffer)), 0u);
  EXPECT_EQ(value_of(co_await pair.server.read(buffer)), 0u) << "and again";
  value_of(co_await pair.server.write_all("answer"));
  EXPECT_EQ(value_of(co_await pair.client.read(buffer)), 6u);
  pair.server.shutdown(Shutdown::write).value();
  EXPECT_EQ(value_of(co_await pair.client.read(buffer)), 0u);
  pair.client.shutdown(Shutdown::both).value();  // also when all is over
}

STREAM_TEST(write_after_shutdown_is_an_error_and_no_signal) {
  auto pair = co_await connect_pair<Transport>();
  pair.client.shutdown(Shutdown::write).value();
  EXPECT_EQ(error_of(co_await pair.client.write("x")), std::errc::broken_pipe);
  EXPECT_EQ(error_of(co_await pair.client.write_all("x")), std::errc::broken_pipe);
  EXPECT_EQ(error_of(pair.client.try_write("x")), std::errc::broken_pipe);
}

template <class Stream>
Task<> closes_after(Stream, Duration delay) {
  co_await sleep(delay);
}

STREAM_TEST(peer_closes_while_reading) {
  auto pair = co_await connect_pair<Transport>();
  auto peer = spawn(closes_after(std::move(pair.server), 3ms));
  std::array<char, 16> buffer;
  EXPECT_EQ(value_of(co_await pair.client.read(buffer)), 0u);
  value_of(co_await peer);
}

// It has not read what was sent to it: the peer must learn that this is lost.
STREAM_TEST(peer_closes_with_unread_bytes_while_reading) {
  auto pair = co_await connect_pair<Transport>();
  value_of(co_await pair.client.write_all("unread"));
  auto peer = spawn(closes_after(std::move(pair.server), 3ms));
  std::array<char, 16> buffer;
  const Error error = error_of(co_await pair.client.read(buffer));
  EXPECT_EQ(error, std::errc::connection_reset);
  EXPECT_STREQ(error.operation(), "read");
  value_of(co_await peer);
}

STREAM_TEST(peer_closes_while_writing) {
  auto pair = co_await connect_pair<Transport>();
  auto peer = spawn(closes_after(std::move(pair.server), 3ms));
  const std::vector<char> block(1 << 20);
  Result<void> result;
  while (result) result = co_await pair.client.write_all(block);
  EXPECT_TRUE(result.error() == std::errc::connection_reset || result.error() == std::errc::broken_pipe)
      << result.error().message();
  value_of(co_await peer);
}

template <class Stream>
Task<> read_for_ever(Stream stream) {
  std::array<char, 16> buffer;
  static_cast<void>(co_await stream.read(buffer));
}

STREAM_TEST(dropping_a_stream_with_a_pending_read_ends_the_connection) {
  for (int i = 0; i < 20; ++i) {
    auto pair = co_await connect_pair<Transport>();
    auto reader = spawn(read_for_ever(std::move(pair.client)));
    if (i % 2 == 0) co_await sleep(1ms);
    reader.abort();
    std::array<char, 16> buffer;
    EXPECT_EQ(value_of(co_await timeout(5s, pair.server.read(buffer))), 0u);
  }
}

template <class Transport>
Task<> connect_many(std::vector<typename Transport::Stream>& servers) {
  for (int i = 0; i < 100; ++i) {
    auto pair = co_await connect_pair<Transport>();
    spawn(read_for_ever(std::move(pair.client))).detach();
    servers.push_back(std::move(pair.server));
  }
  for (int i = 0; i < 1000; ++i) spawn([]() -> Task<> { co_await sleep(1h); }).detach();
  co_await sleep(2ms);
}
template <class Stream>
Task<> expect_ends(std::vector<Stream>& streams) {
  for (Stream& stream : streams) {
    std::array<char, 4> buffer;
    EXPECT_EQ(value_of(co_await timeout(5s, stream.read(buffer))), 0u);
  }
}
// The streams have met the other runtime's driver only if they had to wait; none had.
TEST_P(tcp_stream, destroyed_runtime_ends_connections_with_pending_reads) {
  Runtime other = build(GetParam()).value();
  std::vector<TcpStream> servers;
  run(connect_many<Tcp>(servers));
  runtime_.reset();
  other.block_on(expect_ends(servers));
}
TEST_P(unix_stream, destroyed_runtime_ends_connections_with_pending_reads) {
  Runtime other = build(GetParam()).value();
  std::vector<UnixStream> servers;
  run(connect_many<Unix>(servers));
  runtime_.reset();
  other.block_on(expect_ends(servers));
}

// --- A peer that is killed

constexpr const char* connects_and_waits = R"(
import socket, sys, time
if sys.argv[1] == "tcp":
    s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
else:
    s = socket.socket(socket.AF_UNIX)
    s.connect("\0" + sys.argv[2])
s.sendall(b"!")
time.sleep(3600)
)";

/// A python3 process that connects, sends one byte and waits; killed and reaped by the destructor at the latest.
class Peer {
 public:
  explicit Peer(const TcpListener& listener) { start("tcp", std::to_string(listener.local_address().value().port())); }
  explicit Peer(const UnixListener& listener) {
    start("unix", std::string(*listener.local_address().value().abstract_name()));
  }
  ~Peer() { kill(); }
  bool has_started() const { return pid_ > 0; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  void start(std::string kind, std::string where) {
    std::string python = "python3", option = "-c", script = connects_and_waits;
    std::array<char*, 6> arguments{python.data(), option.data(), script.data(), kind.data(), where.data(), nullptr};
    if (::posix_spawnp(&pid_, "python3", nullptr, nullptr, arguments.data(), environ) != 0) pid_ = 0;
  }
  pid_t pid_ = 0;
};

STREAM_TEST(peer_is_killed_while_we_read) {
  auto listener = Transport::listen();
  Peer peer(listener);
  EXPECT_TRUE(peer.has_started()) << "python3 is needed";
  if (!peer.has_started()) co_return;
  auto stream = Transport::stream_of(value_of(co_await listener.accept()));
  std::array<char, 4> buffer;
  EXPECT_EQ(value_of(co_await stream.read(buffer)), 1u);
  auto pending = co_await select(stream.read(buffer), sleep(2ms));
  EXPECT_EQ(pending.index(), 1u);
  peer.kill();
  EXPECT_EQ(value_of(co_await timeout(10s, stream.read(buffer))), 0u);
}

STREAM_TEST(peer_is_killed_while_we_write) {
  auto listener = Transport::listen();
  Peer peer(listener);
  EXPECT_TRUE(peer.has_started()) << "python3 is needed";
  if (!peer.has_started()) co_return;
  auto stream = Transport::stream_of(value_of(co_await listener.accept()));
  const std::vector<char> block(16 << 20);
  auto pending = co_await select(stream.write_all(block), sleep(5ms));
  EXPECT_EQ(pending.index(), 1u) << "it does not read";
  peer.kill();
  const Error error = error_of(co_await timeout(10s, stream.write_all(block)));
  EXPECT_TRUE(error == std::errc::connection_reset || error == std::errc::broken_pipe) << error.message();
}

// --- Accepting and cancelling ---------------------------------------------------------------------------------------

template <class Stream>
Task<> greets(Stream stream) {
  static_cast<void>(co_await stream.write_all("hello"));
}
template <class Transport>
Task<> accepts_at_times(typename Transport::Listener& listener, std::atomic<int>& cancelled) {
  for (int round = 0;; ++round) {
    auto first = co_await select(listener.accept(), sleep(Duration((round % 7) * 20us)));
    if (first.index() == 0) {
      spawn(greets(Transport::stream_of(value_of(std::get<0>(std::move(first)))))).detach();
    } else {
      cancelled.fetch_add(1);
    }
  }
}
template <class Transport>
Task<int> is_greeted(typename Transport::Listener& listener, int times, Duration pause) {
  int greeted = 0;
  for (int i = 0; i < times; ++i) {
    auto stream = value_of(co_await Transport::connect(listener));
    std::array<char, 5> buffer;
    greeted += value_of(co_await read_exactly(stream, buffer.data(), 5)) == 5 ? 1 : 0;
    if (pause != Duration::zero()) co_await sleep(pause);
  }
  co_return greeted;
}

STREAM_TEST(accepts_cancelled_at_random_lose_no_client) {
  const auto wanted = static_cast<int>(at_scale(scaled(3000, 300)));
  const std::size_t before = open_descriptors();
  int greeted = 0, rounds = 0;
  std::atomic<int> cancelled{0};
  {
    auto listener = Transport::listen();
    auto acceptor = spawn(accepts_at_times<Transport>(listener, cancelled));
    for (; cancelled.load() < wanted && rounds < wanted; ++rounds) {
      std::vector<JoinHandle<int>> clients;
      for (int i = 0; i < 8; ++i) clients.push_back(spawn(is_greeted<Transport>(listener, 5, 50us)));
      for (auto& client : clients) greeted += value_of(co_await client);
    }
    acceptor.abort();
    EXPECT_TRUE(error_of(co_await acceptor).is_cancelled());
  }
  EXPECT_GE(cancelled.load(), wanted);
  EXPECT_EQ(greeted, rounds * 40);
  const Instant limit = now() + watchdog;  // the driver closes what it has watched
  while (open_descriptors() > before && now() < limit) co_await sleep(1ms);
  EXPECT_LE(open_descriptors(), before);
}

template <class Transport>
Task<> accepts_for_ever(typename Transport::Listener& listener) {
  for (;;) spawn(greets(Transport::stream_of(value_of(co_await listener.accept())))).detach();
}

STREAM_TEST(many_tasks_accept_on_one_listener) {
  auto listener = Transport::listen();
  std::vector<JoinHandle<void>> acceptors;
  for (int i = 0; i < 8; ++i) acceptors.push_back(spawn(accepts_for_ever<Transport>(listener)));
  EXPECT_EQ(co_await is_greeted<Transport>(listener, scaled(200, 50), 0us), scaled(200, 50));
  for (auto& acceptor : acceptors) acceptor.abort();
  for (auto& acceptor : acceptors) static_cast<void>(co_await acceptor);
}

template <class Stream>
Task<std::size_t> reads_with_cancellations(Stream stream, std::size_t total) {
  std::size_t good = 0;
  std::vector<char> buffer(30'000);
  for (std::size_t round = 0; good < total; ++round) {
    auto read = stream.read(MutableBuffer(buffer.data(), 1 + (round * 7919) % buffer.size()));
    auto first = co_await select(std::move(read), yield_now(), sleep(Duration((round % 5) * 20us)));
    if (first.index() != 0) continue;
    const std::size_t n = value_of(std::get<0>(first));
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) good += buffer[i] == byte_at(good) ? 1 : 0;
  }
  co_return good;
}

STREAM_TEST(reads_cancelled_at_random_lose_no_byte) {
  auto pair = co_await connect_pair<Transport>();
  auto reader = spawn(reads_with_cancellations(std::move(pair.server), large));
  co_await send_pattern(pair.client);
  EXPECT_EQ(value_of(co_await reader), large);
}

template <class Stream>
Task<> leave_a_read_pending(Pair<Stream> pair) {
  std::array<char, 8> buffer;
  auto first = co_await select(pair.server.read(buffer), yield_now());
  EXPECT_EQ(first.index(), 1u) << "nothing has been sent yet";
  value_of(co_await pair.client.write_all("of old"));
}

// The kernel gives the lowest free number to the next descriptor: what is still to come for the old one must not reach
// it.
STREAM_TEST(descriptor_number_that_is_used_again_is_another_stream) {
  std::set<int> numbers;
  int used_again = 0;
  for (std::size_t i = 0; i < scaled<std::size_t>(500, 100); ++i) {
    co_await leave_a_read_pending(co_await connect_pair<Transport>());
    auto pair = co_await connect_pair<Transport>();
    used_again += numbers.insert(pair.server.socket().native_handle()).second ? 0 : 1;
    std::vector<char> received(64);
    auto early = co_await select(pair.server.read(received), yield_now());
    EXPECT_EQ(early.index(), 1u) << "bytes of another stream";
    const auto sent = pattern(i, received.size());
    value_of(co_await pair.client.write_all(sent));
    EXPECT_EQ(value_of(co_await read_exactly(pair.server, received.data(), received.size())), received.size());
    EXPECT_EQ(received, sent);
  }
  EXPECT_GT(used_again, 0);
}

// --- Always ready ---------------------------------------------------------------------------------------------------

// Its peer never lets it wait: only the budget ends its polls.
template <class Stream>
Task<> writes_and_reads(Pair<Stream>& pair, Instant until) {
  std::array<char, 1> byte{};
  while (now() < until) {
    value_of(co_await pair.client.write_all(byte));
    value_of(co_await pair.server.read(byte));
  }
}

STREAM_TEST(timeout_fires_around_a_loop_that_never_waits) {
  auto pair = co_await connect_pair<Transport>();
  const auto late = co_await timeout(5ms, writes_and_reads(pair, Instant::max()));
  EXPECT_EQ(late.error(), std::errc::timed_out);
}

template <class Transport>
Task<> is_late() {
  auto pair = co_await connect_pair<Transport>();
  const auto late = co_await timeout(5ms, writes_and_reads(pair, now() + watchdog));
  EXPECT_FALSE(late);
}
TEST_P(tcp_stream, timeout_fires_in_block_on_around_a_loop_that_never_waits) { runtime_->block_on(is_late<Tcp>()); }
TEST_P(unix_stream, timeout_fires_in_block_on_around_a_loop_that_never_waits) { runtime_->block_on(is_late<Unix>()); }

}  // namespace
}  // namespace skua::tests
