// For tests of readers and writers: pairs of connected streams of every kind, bytes that tell their place, operations
// that are dropped at random while they wait.
#pragma once

#include "each_runtime.hpp"

#include <skua/core/random.hpp>
#include <skua/io/step.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

inline std::uint64_t seed_of_this_run() {
  if (const char* given = std::getenv("SKUA_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  return seam::random_seed();
}

/// A generator whose seed is told when the test has failed. (SCOPED_TRACE belongs to one thread; tasks have several.)
class SeededTest {
 public:
  explicit SeededTest(std::uint64_t seed = seed_of_this_run()) : random(seed), seed_(seed) {}
  SeededTest(const SeededTest&) = delete;
  SeededTest& operator=(const SeededTest&) = delete;
  ~SeededTest() {
    if (testing::Test::HasFailure()) std::printf("  to repeat: SKUA_TEST_SEED=%llu\n", seed_);
  }
  seam::Random random;

 private:
  const unsigned long long seed_;
};

/// Byte number `position` of a stream in which no short piece repeats.
inline char byte_at(std::size_t position) { return static_cast<char>((position * 2654435761u) >> 13); }
inline std::string pattern(std::size_t from, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(from + i);
  return bytes;
}

/// A future that drops the one it made, and makes another, at random moments while it is pending.
template <class Make>
class [[nodiscard]] Restarted {
 public:
  using Inner = std::invoke_result_t<Make&>;
  Restarted(seam::Random& random, int& drops, Make make) : random_(random), drops_(drops), make_(std::move(make)) {}

  Poll<Output<Inner>> poll(Context& context) {
    if (step_.is_pending() && random_.below(3) == 0) drop();
    for (;;) {
      auto result = step_.poll(context, make_);
      if (result.is_ready() || random_.below(2) == 0) return result;
      drop();
    }
  }

 private:
  void drop() {
    step_.cancel();
    ++drops_;
  }
  seam::Random& random_;
  int& drops_;
  Make make_;
  Step<Inner> step_;
};

/// A reader and writer whose operations are dropped at random.
template <class S>
class Restless {
 public:
  Restless(S stream, std::uint64_t seed) : stream_(std::move(stream)), random_(seed) {}
  auto read(MutableBuffer buffer) {
    return Restarted(random_, drops_, [this, buffer] { return stream_.read(buffer); });
  }
  auto write(ConstBuffer buffer) {
    return Restarted(random_, drops_, [this, buffer] { return stream_.write(buffer); });
  }
  auto shutdown() { return skua::shutdown(stream_); }
  int drops() const { return drops_; }

 private:
  S stream_;
  seam::Random random_;
  int drops_ = 0;
};

/// The output of a task; throws what it threw. (In templates g++ 12 knows no type of `(co_await handle).value()`.)
template <class T>
Task<T> joined(JoinHandle<T> handle) {
  auto result = co_await handle;
  co_return std::move(result).value();
}

struct TcpPair {
  TcpPair(TcpStream a, TcpStream b) noexcept : first(std::move(a)), second(std::move(b)) {}
  TcpStream first;
  TcpStream second;
};
inline Task<TcpPair> tcp_pair() {
  TcpListener listener = TcpListener::bind(SocketAddress::parse("127.0.0.1:0").value()).value();
  TcpStream client = (co_await TcpStream::connect(listener.local_address().value())).value();
  Accepted accepted = (co_await listener.accept()).value();
  co_return TcpPair(std::move(client), std::move(accepted.stream));
}

/// Runs `body(one end, the other, whether it is slow)` over a stream of every kind, to the first that fails.
template <class Body>
Task<> over_each_stream(Body body) {
  for (const std::size_t capacity : {1u, 7u, 65536u}) {
    auto ends = duplex(capacity);
    co_await body(std::move(ends.first), std::move(ends.second), capacity < 100);
    if (testing::Test::HasFailure()) {
      std::printf("  over duplex(%zu)\n", capacity);
      co_return;
    }
  }
  TcpPair ends = co_await tcp_pair();
  co_await body(std::move(ends.first), std::move(ends.second), false);
  if (testing::Test::HasFailure()) std::printf("  over TCP\n");
}

/// Writes `bytes` in pieces of random sizes, then ends the stream.
template <class S>
Task<> send_in_pieces(S stream, std::string bytes, std::uint64_t seed) {
  seam::Random random(seed);
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t size =
        std::min<std::size_t>(1 + random.below(random.below(4) == 0 ? 20'000 : 50), bytes.size() - done);
    const Result<void> sent = co_await write_all(stream, {bytes.data() + done, size});
    sent.value();
    done += size;
  }
  const Result<void> ended = co_await shutdown(stream);
  ended.value();
}

}  // namespace skua::tests
