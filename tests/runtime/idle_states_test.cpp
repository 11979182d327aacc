// The states in which descriptors stay: half closed, reset, hung up, with bytes that nobody takes. None costs processor
// time, with or without tasks that wait beside it; and each is told at once to who waits.
// Measures time: runs while nothing else does.
#include "processes.hpp"
#include "transports.hpp"

#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class idle_states : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, idle_states, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

/// Objects kept until the end, whatever they are.
class Keeper {
 public:
  template <class T>
  T& keep(T object) {
    auto kept = std::make_shared<T>(std::move(object));
    objects_.push_back(kept);
    return *kept;
  }

 private:
  std::vector<std::shared_ptr<void>> objects_;
};

std::array<char, 8> scratch;

// Tasks that wait beside it; each owns what it waits for.
template <class Half>
Task<> read_beside(Half reader) {
  static_cast<void>(co_await reader.read(scratch));
}
template <class Half>
Task<> write_beside(Half writer) {
  static_cast<void>(co_await writer.write_all("x"));
}

void fill(int fd) {
  const std::string block(4096, 'f');
  while (::write(fd, block.data(), block.size()) > 0) {
  }
}
/// A connected pair whose server's end is watched: it has waited for bytes.
template <class Transport>
Task<Pair<typename Transport::Stream>*> watched_pair(Keeper& keeper) {
  auto* const pair = &keeper.keep(co_await connect_pair<Transport>());
  EXPECT_TRUE(co_await waits(pair->server.read(scratch)));
  co_return pair;
}

template <class Transport>
Task<> enter_stream_states(Keeper& keeper) {
  // Bytes that nobody takes.
  auto* pair = co_await watched_pair<Transport>(keeper);
  pair->client.try_write("unread").value();
  // The peer's end of the stream: unread; read, while the other direction waits for room.
  pair = co_await watched_pair<Transport>(keeper);
  pair->client.shutdown(Shutdown::write).value();
  pair = co_await watched_pair<Transport>(keeper);
  pair->client.shutdown(Shutdown::write).value();
  auto end = co_await pair->server.read(scratch);
  EXPECT_EQ(value_of(std::move(end)), 0u);
  fill(pair->server.socket().native_handle());
  auto [reader, writer] = std::move(pair->server).into_split();
  keeper.keep(std::move(reader));
  spawn(write_beside(std::move(writer))).detach();
  // The own end of the stream, while the other direction waits for bytes.
  pair = co_await watched_pair<Transport>(keeper);
  auto halves = std::move(pair->server).into_split();  // the writing half goes, and ends the direction
  spawn(read_beside(std::move(halves.first))).detach();
  // Both ends.
  pair = co_await watched_pair<Transport>(keeper);
  pair->client.shutdown(Shutdown::write).value();
  pair->server.shutdown(Shutdown::write).value();
  // The peer is gone, with bytes unread: reset, and nobody looks.
  auto left = co_await connect_pair<Transport>();
  auto& server = keeper.keep(std::move(left.server));
  EXPECT_TRUE(co_await waits(server.read(scratch)));
  server.try_write("never read").value();
  {
    const auto gone = std::move(left.client);
  }
  // A connection that nobody accepts.
  auto& listener = keeper.keep(Transport::listen());
  EXPECT_TRUE(co_await waits(listener.accept()));
  auto client = co_await Transport::connect(listener);
  keeper.keep(value_of(std::move(client)));
}

Task<> enter_pipe_states(Keeper& keeper) {
  auto& unread = keeper.keep(skua::pipe().value());
  EXPECT_TRUE(co_await waits(unread.reader.read(scratch)));
  (co_await unread.writer.write("unread")).value();

  Pipe ended = skua::pipe().value();
  auto& reader = keeper.keep(std::move(ended.reader));
  EXPECT_TRUE(co_await waits(reader.read(scratch)));
  {
    const PipeWriter gone = std::move(ended.writer);
  }

  Pipe broken = skua::pipe().value();
  auto& writer = keeper.keep(std::move(broken.writer));
  fill(writer.native_handle());
  EXPECT_TRUE(co_await waits(writer.write("x")));
  {
    const PipeReader gone = std::move(broken.reader);
  }
}

/// A datagram that was refused has left an error.
Task<> enter_udp_states(Keeper& keeper) {
  const SocketAddress nobody = [] {
    return UdpSocket::bind(SocketAddress::loopback(0)).value().local_address().value();
  }();
  auto& refused = keeper.keep(UdpSocket::bind(SocketAddress::loopback(0)).value());
  refused.connect(nobody).value();
  EXPECT_TRUE(co_await waits(refused.recv(scratch)));
  (co_await refused.send("x")).value();

  auto& unread = keeper.keep(UdpSocket::bind(SocketAddress::loopback(0)).value());
  EXPECT_TRUE(co_await waits(unread.recv(scratch)));
  (co_await unread.send_to("x", unread.local_address().value())).value();
}

Task<> enter_terminal_states(Keeper& keeper) {
  int master = -1;
  int slave = -1;
  EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  AsyncFd& terminal = keeper.keep(AsyncFd::adopt(OwnedFd(master)).value());
  EXPECT_TRUE(co_await waits(terminal.read(scratch)));
  ::close(slave);
}

TEST_P(idle_states, take_less_than_two_per_cent_of_a_processor) {
  auto body = []() -> Task<double> {
    Keeper keeper;
    for (int i = 0; i < 10; ++i) {
      co_await enter_stream_states<Tcp>(keeper);
      co_await enter_stream_states<Unix>(keeper);
      co_await enter_pipe_states(keeper);
      co_await enter_udp_states(keeper);
      co_await enter_terminal_states(keeper);
    }
    co_await sleep(50ms);
    co_return co_await cpu_share_while_idle(1s);
  };
  const double used = run(body());
  std::printf("  %.2f %% of a processor\n", 100 * used);
  RecordProperty("per cent of a processor", std::to_string(100 * used));
  EXPECT_LT(used, sanitized ? 0.1 : 0.02);
}

// --- How soon it is told --------------------------------------------------------------------------------------------

template <class Stream>
Task<Result<std::size_t>> read_some(Stream& stream) {
  co_return co_await stream.read(scratch);
}

/// How soon after `act` a read that waits has ended, and as it should: the best of three, as one late thread is no
/// failure of ours.
template <class Transport, class Act>
Task<> expect_soon(const char* what, std::errc expected, Act act) {
  Duration best = Duration::max();
  for (int i = 0; i < 3; ++i) {
    auto pair = co_await connect_pair<Transport>();
    auto reader = spawn(read_some(pair.server));
    co_await sleep(5ms);
    const Instant begin = now();
    act(pair);
    auto outcome = co_await reader;
    const Result<std::size_t> seen = value_of(std::move(outcome));
    best = std::min(best, Duration(now() - begin));
    if (expected == std::errc()) {
      EXPECT_TRUE(seen && *seen == 0) << what;
    } else {
      EXPECT_TRUE(!seen && seen.error() == expected) << what;
    }
  }
  const double milliseconds = std::chrono::duration<double, std::milli>(best).count();
  std::printf("  %s: %.2f ms\n", what, milliseconds);
  EXPECT_LT(milliseconds, 100) << what;
}

template <class Transport>
Task<> expect_each_end_soon() {
  using Ends = Pair<typename Transport::Stream>;
  co_await expect_soon<Transport>("half closed", std::errc(),
                                  [](Ends& pair) { pair.client.shutdown(Shutdown::write).value(); });
  co_await expect_soon<Transport>("closed", std::errc(), [](Ends& pair) { const auto gone = std::move(pair.client); });
  co_await expect_soon<Transport>("reset", std::errc::connection_reset, [](Ends& pair) {
    pair.server.try_write("never read").value();
    const auto gone = std::move(pair.client);
  });
}

TEST_P(idle_states, ends_are_told_within_a_tenth_of_a_second) {
  run(expect_each_end_soon<Tcp>());
  run(expect_each_end_soon<Unix>());
}

}  // namespace
}  // namespace skua::tests
