// Streams in memory, halves of streams, and the stream that follows a script.
#include "streams.hpp"

#include <skua/io/mock_stream.hpp>

#include <array>
#include <atomic>
#include <thread>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

template <class T>
bool is_pending(const Poll<T>& poll) {
  return poll.is_pending();
}

// --- Polled by hand -------------------------------------------------------------------------------------------------

TEST(duplex, holds_its_capacity_and_not_a_byte_more) {
  auto [left, right] = duplex(7);
  CountedContext writing, reading;
  auto first = left.write("0123456789");
  EXPECT_EQ(first.poll(writing).take().value(), 7u);
  auto second = left.write("789");
  EXPECT_TRUE(is_pending(second.poll(writing)));
  EXPECT_EQ(writing.wakes(), 0);
  std::array<char, 3> buffer{};
  auto read = right.read(buffer);
  EXPECT_EQ(read.poll(reading).take().value(), 3u);
  EXPECT_EQ(std::string(buffer.data(), 3), "012");
  EXPECT_EQ(writing.wakes(), 1) << "there is room";
  EXPECT_EQ(second.poll(writing).take().value(), 3u);
  std::array<char, 10> rest{};
  auto wrapped = right.read(rest);
  EXPECT_EQ(wrapped.poll(reading).take().value(), 7u);
  EXPECT_EQ(std::string(rest.data(), 7), "3456789") << "around the end of the ring";
}

TEST(duplex, a_reader_that_waits_is_woken_once_by_bytes) {
  auto [left, right] = duplex(100);
  CountedContext context;
  std::array<char, 10> buffer{};
  auto read = right.read(buffer);
  EXPECT_TRUE(is_pending(read.poll(context)));
  EXPECT_TRUE(is_pending(read.poll(context))) << "spurious";
  CountedContext other;
  EXPECT_EQ(left.write("a").poll(other).take().value(), 1u);
  EXPECT_EQ(left.write("b").poll(other).take().value(), 1u);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(read.poll(context).take().value(), 2u);
}

TEST(duplex, the_last_context_is_the_one_that_is_woken) {
  auto [left, right] = duplex(100);
  CountedContext before, after;
  std::array<char, 10> buffer{};
  auto read = right.read(buffer);
  EXPECT_TRUE(is_pending(read.poll(before)));
  EXPECT_TRUE(is_pending(read.poll(after)));
  EXPECT_EQ(left.write("a").poll(before).take().value(), 1u);
  EXPECT_EQ(before.wakes(), 0);
  EXPECT_EQ(after.wakes(), 1);
}

TEST(duplex, of_two_readers_one_that_is_dropped_takes_no_wake_with_it) {
  for (const bool drop_first : {true, false}) {
    auto [left, right] = duplex(100);
    CountedContext first_context, second_context;
    std::array<char, 10> buffer{};
    std::optional<MemoryRead> first(right.read(buffer));
    std::optional<MemoryRead> second(right.read(buffer));
    EXPECT_TRUE(is_pending(first->poll(first_context)));
    EXPECT_TRUE(is_pending(second->poll(second_context)));
    CountedContext writing;
    EXPECT_EQ(left.write("a").poll(writing).take().value(), 1u);
    (drop_first ? first : second).reset();  // it was woken and will never read
    auto& stays = drop_first ? second : first;
    auto& context = drop_first ? second_context : first_context;
    EXPECT_EQ(context.wakes(), 1);
    EXPECT_EQ(stays->poll(context).take().value(), 1u);
  }
}

TEST(duplex, a_dropped_waiter_leaves_the_list) {
  auto [left, right] = duplex(4);
  CountedContext contexts[3];
  std::array<char, 10> buffer{};
  for (std::size_t dropped = 0; dropped < 3; ++dropped) {
    std::array<std::optional<MemoryRead>, 3> reads;
    std::array<int, 3> before{};
    for (std::size_t i = 0; i < 3; ++i) {
      reads[i].emplace(right.read(buffer));
      EXPECT_TRUE(is_pending(reads[i]->poll(contexts[i])));
      before[i] = contexts[i].wakes();
    }
    reads[dropped].reset();
    CountedContext writing;
    EXPECT_EQ(left.write("abc").poll(writing).take().value(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(contexts[i].wakes() - before[i], i == dropped ? 0 : 1);
    EXPECT_EQ(right.read(buffer).poll(writing).take().value(), 3u);
  }
}

TEST(duplex, ends_for_the_reader_after_all_that_was_written) {
  auto [left, right] = duplex(100);
  CountedContext context;
  std::array<char, 10> buffer{};
  EXPECT_EQ(left.write("last").poll(context).take().value(), 4u);
  {
    const DuplexStream dropped = std::move(left);
  }
  EXPECT_EQ(right.read(buffer).poll(context).take().value(), 4u);
  EXPECT_EQ(right.read(buffer).poll(context).take().value(), 0u);
  EXPECT_EQ(right.read(buffer).poll(context).take().value(), 0u) << "and again";
  EXPECT_EQ(right.write("x").poll(context).take().error(), std::errc::broken_pipe);
}

TEST(duplex, dropping_an_end_wakes_whoever_waits_for_it) {
  auto [left, right] = duplex(1);
  CountedContext reading, writing;
  EXPECT_EQ(right.write("full").poll(writing).take().value(), 1u);
  std::array<char, 10> buffer{};
  auto write = right.write("more");
  auto read = right.read(buffer);
  EXPECT_TRUE(is_pending(write.poll(writing)));
  EXPECT_TRUE(is_pending(read.poll(reading)));
  {
    const DuplexStream dropped = std::move(left);
  }
  EXPECT_EQ(writing.wakes(), 1);
  EXPECT_EQ(reading.wakes(), 1);
  EXPECT_EQ(write.poll(writing).take().error().message(), "write: Broken pipe");
  EXPECT_EQ(read.poll(reading).take().value(), 0u);
}

TEST(duplex, shutdown_ends_one_way_alone) {
  auto [left, right] = duplex(10);
  CountedContext context;
  std::array<char, 10> buffer{};
  left.shutdown().value();
  left.shutdown().value();
  EXPECT_EQ(right.read(buffer).poll(context).take().value(), 0u);
  EXPECT_EQ(left.write("x").poll(context).take().error(), std::errc::broken_pipe);
  EXPECT_EQ(right.write("answer").poll(context).take().value(), 6u);
  EXPECT_EQ(left.read(buffer).poll(context).take().value(), 6u);
}

TEST(duplex, empty_buffers_do_nothing_at_once) {
  auto [left, right] = duplex(1);
  CountedContext context;
  EXPECT_EQ(right.read(MutableBuffer(nullptr, 0)).poll(context).take().value(), 0u);
  EXPECT_EQ(left.write("x").poll(context).take().value(), 1u);
  EXPECT_EQ(left.write(ConstBuffer(nullptr, 0)).poll(context).take().value(), 0u) << "though it is full";
}

TEST(duplex_death, capacity_of_nothing) {
  EXPECT_DEATH(static_cast<void>(duplex(0)), "capacity 0 can never be written to. Give it at least 1 byte");
}

// --- Any executor, many threads -------------------------------------------------------------------------------------

Task<std::size_t> write_numbered(SimplexWriter writer, std::size_t total) {
  for (std::size_t done = 0; done < total;) {
    const std::string piece = pattern(done, std::min<std::size_t>(1 + done % 37, total - done));
    (co_await write_all(writer, piece)).value();
    done += piece.size();
  }
  co_return total;
}
Task<std::string> read_whole(SimplexReader reader) { co_return (co_await read_to_string(reader)).value(); }

TEST(duplex, between_threads_without_a_runtime) {
  for (const std::size_t capacity : {1u, 5u, 1000u}) {
    const std::size_t total = capacity == 1 ? scaled(20'000, 2'000) : scaled(200'000, 20'000);
    auto [reader, writer] = simplex(capacity);
    std::thread thread([&, to = std::move(writer)]() mutable {
      auto task = write_numbered(std::move(to), total);
      EXPECT_EQ(await_within(task, 3 * watchdog), total);
    });
    auto task = read_whole(std::move(reader));
    const auto received = await_within(task, 3 * watchdog);
    thread.join();
    ASSERT_TRUE(received);
    EXPECT_TRUE(*received == pattern(0, total));
  }
}

class halves : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, halves, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// Several readers share the bytes, whatever happens to those that are dropped while they wait.
Task<std::size_t> count_bytes(std::shared_ptr<SimplexReader> reader, std::uint64_t seed) {
  seam::Random random(seed);
  int drops = 0;
  std::size_t count = 0;
  std::array<char, 16> buffer;
  for (;;) {
    auto make = [&] { return reader->read(buffer); };
    Restarted read(random, drops, make);
    const std::size_t n = (co_await read).value();
    if (n == 0) co_return count;
    count += n;
  }
}

TEST_P(halves, several_readers_share_all_bytes) {
  SeededTest test;
  auto body = [&test]() -> Task<> {
    auto [reader, writer] = simplex(3);
    auto shared = std::make_shared<SimplexReader>(std::move(reader));
    std::vector<JoinHandle<std::size_t>> readers;
    for (int i = 0; i < 4; ++i) readers.push_back(spawn(count_bytes(shared, test.random.next())));
    shared.reset();
    const std::size_t total = scaled(30'000, 5'000);
    auto sender = spawn(write_numbered(std::move(writer), total));
    std::size_t sum = 0;
    for (auto& task : readers) sum += (co_await task).value();
    EXPECT_EQ((co_await sender).value(), total);
    EXPECT_EQ(sum, total);
  };
  run(body());
}

// --- split ----------------------------------------------------------------------------------------------------------

/// A stream that knows nothing of halves, nor of threads: two uses at a time are a fault that the test sees.
class Delicate {
 public:
  explicit Delicate(DuplexStream stream) : stream_(std::move(stream)) {}

  template <class Inner>
  class Watched {
   public:
    Watched(std::atomic<int>& users, Inner inner) : users_(users), inner_(std::move(inner)) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      EXPECT_EQ(users_.fetch_add(1), 0) << "polled by two threads at once";
      auto result = inner_.poll(context);
      users_.fetch_sub(1);
      return result;
    }

   private:
    std::atomic<int>& users_;
    Inner inner_;
  };
  auto read(MutableBuffer buffer) { return Watched(*users_, stream_.read(buffer)); }
  auto write(ConstBuffer buffer) { return Watched(*users_, stream_.write(buffer)); }
  Result<void> shutdown() { return stream_.shutdown(); }

 private:
  std::unique_ptr<std::atomic<int>> users_ = std::make_unique<std::atomic<int>>(0);
  DuplexStream stream_;
};

template <class W>
Task<W> write_pattern(W writer, std::size_t total, std::uint64_t seed) {
  seam::Random random(seed);
  int drops = 0;
  const std::string bytes = pattern(0, total);
  for (std::size_t done = 0; done < total;) {
    const ConstBuffer piece(bytes.data() + done, std::min<std::size_t>(total - done, 1 + random.below(3'000)));
    auto make = [&] { return writer.write(piece); };
    Restarted write(random, drops, make);
    const Result<std::size_t> count = co_await write;
    done += count.value();
  }
  co_return std::move(writer);
}
template <class R>
Task<R> expect_pattern(R reader, std::size_t total) {
  std::string bytes(total, '\0');
  const Result<void> read = co_await read_exact(reader, bytes);
  read.value();
  EXPECT_TRUE(bytes == pattern(0, total));
  co_return std::move(reader);
}

/// Both halves of `left` in tasks of their own, and those of `right`; then both are put together again and talk on.
template <class S>
Task<> talk_in_halves(S left, S right, std::size_t total) {
  auto left_halves = into_split(std::move(left));
  auto right_halves = into_split(std::move(right));
  auto there = spawn(write_pattern(std::move(left_halves.second), total, 1));
  auto back = spawn(write_pattern(std::move(right_halves.second), total, 2));
  auto arrives_right = spawn(expect_pattern(std::move(right_halves.first), total));
  auto arrives_left = spawn(expect_pattern(std::move(left_halves.first), total));
  auto left_writer = co_await joined(std::move(there));
  auto right_writer = co_await joined(std::move(back));
  auto right_reader = co_await joined(std::move(arrives_right));
  auto left_reader = co_await joined(std::move(arrives_left));
  auto whole = reunite(std::move(left_reader), std::move(left_writer));
  auto stranger = reunite(std::move(right_reader), SplitWriter<S>(make_ref<SharedStream<S>>(std::move(whole).value())));
  EXPECT_EQ(stranger.error().message(), "reunite halves of two different streams: Invalid argument");
}

TEST_P(halves, owned_halves_of_any_stream_in_tasks_of_their_own) {
  auto body = []() -> Task<> {
    for (const std::size_t capacity : {1u, 7u, 65536u}) {
      auto [left, right] = duplex(capacity);
      co_await talk_in_halves(Delicate(std::move(left)), Delicate(std::move(right)),
                              capacity < 100 ? scaled(10'000, 1'500) : scaled(1'000'000, 100'000));
    }
  };
  run(body());
}

TEST_P(halves, reunited_stream_works_on) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(100);
    auto split_ends = into_split(Delicate(std::move(left)));
    (co_await split_ends.second.write("one ")).value();
    Delicate whole = reunite(std::move(split_ends.first), std::move(split_ends.second)).value();
    (co_await whole.write("two")).value();
    std::array<char, 7> buffer{};
    (co_await read_exact(right, buffer)).value();
    EXPECT_EQ(std::string(buffer.data(), 7), "one two");
  };
  run(body());
}

TEST_P(halves, split_writer_ends_its_direction_by_shutdown) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(100);
    auto split_ends = into_split(Delicate(std::move(left)));
    (co_await split_ends.second.flush()).value();
    (co_await split_ends.second.shutdown()).value();
    std::array<char, 1> buffer{};
    EXPECT_EQ((co_await right.read(buffer)).value(), 0u);
    (co_await right.write("x")).value();
    EXPECT_EQ((co_await split_ends.first.read(buffer)).value(), 1u);
  };
  run(body());
}

template <class S>
Task<> talk_borrowed(S left, S right, std::size_t total) {
  const std::string bytes = pattern(0, total);
  std::string there(total, '\0'), back(total, '\0');
  auto left_halves = split(left);
  auto right_halves = split(right);
  auto all = join(write_all(left_halves.second, bytes), write_all(right_halves.second, bytes),
                  read_exact(left_halves.first, back), read_exact(right_halves.first, there));
  const auto results = co_await all;
  std::get<0>(results).value();
  std::get<1>(results).value();
  EXPECT_TRUE(there == bytes);
  EXPECT_TRUE(back == bytes);
}

TEST_P(halves, borrowed_halves_in_one_task) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(7);
    co_await talk_borrowed(std::move(left), std::move(right), 10'000);
    TcpPair pair = co_await tcp_pair();
    co_await talk_borrowed(std::move(pair.first), std::move(pair.second), scaled(5'000'000, 500'000));
  };
  run(body());
}

TEST_P(halves, streams_with_halves_of_their_own_give_those) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(7);
    auto ends = into_split(std::move(left));
    static_assert(std::is_same_v<decltype(ends), std::pair<SimplexReader, SimplexWriter>>);
    {
      const SimplexWriter dropped = std::move(ends.second);
    }
    std::array<char, 1> buffer{};
    EXPECT_EQ((co_await right.read(buffer)).value(), 0u);
    TcpPair pair = co_await tcp_pair();
    auto tcp = into_split(std::move(pair.first));
    static_assert(std::is_same_v<decltype(tcp), std::pair<TcpReader, TcpWriter>>);
    (co_await tcp.second.write("x")).value();
    EXPECT_EQ((co_await pair.second.read(buffer)).value(), 1u);
  };
  run(body());
}

// --- MockStream -----------------------------------------------------------------------------------------------------

TEST_P(halves, mock_stream_plays_its_script) {
  MockScript script;
  script.expect_write("GET\r\n").wait(2ms).give_read("200 ").give_read("OK").expect_write("BYE").expect_shutdown();
  auto body = [](MockStream stream) -> Task<> {
    (co_await write_all(stream, "GE")).value();
    (co_await write_all(stream, "T\r\n")).value();
    std::array<char, 10> buffer{};
    const Instant before = now();
    EXPECT_EQ((co_await stream.read(buffer)).value(), 4u) << "a read spans no two steps";
    EXPECT_GE(now() - before, 2ms);
    EXPECT_EQ((co_await stream.read(MutableBuffer(buffer).at_most(1))).value(), 1u);
    EXPECT_EQ(buffer[0], 'O');
    EXPECT_EQ((co_await stream.read(buffer)).value(), 1u);
    (co_await write_all(stream, "BYE")).value();
    (co_await shutdown(stream)).value();
    EXPECT_EQ((co_await stream.read(buffer)).value(), 0u);
  };
  run(body(script.stream()));
  EXPECT_EQ(script.unmet(), "");
}

TEST_P(halves, mock_stream_lets_a_read_wait_for_the_write_before_it) {
  MockScript script;
  script.expect_write("ping").give_read("pong");
  auto reads = [](MockStream& stream) -> Task<std::string> {
    std::array<char, 4> buffer{};
    (co_await read_exact(stream, buffer)).value();
    co_return std::string(buffer.data(), 4);
  };
  auto writes = [](MockStream& stream) -> Task<> {
    co_await sleep(1ms);
    (co_await write_all(stream, "ping")).value();
  };
  auto body = [&](MockStream stream) -> Task<> {
    auto both = co_await join(reads(stream), writes(stream));
    EXPECT_EQ(std::get<0>(both), "pong");
  };
  run(body(script.stream()));
  EXPECT_EQ(script.unmet(), "");
}

TEST(mock_stream, tells_what_was_written_instead) {
  MockScript script;
  script.expect_write("PING\r\n").give_read("PONG");
  MockStream stream = script.stream();
  CountedContext context;
  EXPECT_EQ(stream.write("PI").poll(context).take().value(), 2u);
  const auto wrong = stream.write("XG\"\x01").poll(context).take();
  EXPECT_EQ(wrong.error(), std::errc::protocol_error);
  EXPECT_EQ(wrong.error().message(),
            "write step 1: instead of a write of \"NG\\r\\n\", a write of \"XG\\\"\\x01\": Protocol error");
  std::array<char, 4> buffer;
  EXPECT_EQ(stream.read(buffer).poll(context).take().error(), std::errc::protocol_error) << "and nothing goes on";
  EXPECT_EQ(script.unmet(),
            "step 1: instead of a write of \"NG\\r\\n\", a write of \"XG\\\"\\x01\"\n"
            "step 1 has not happened: a write of \"NG\\r\\n\"\n"
            "step 2 has not happened: a read of \"PONG\"");
}

TEST(mock_stream, tells_what_is_missing_and_what_is_too_much) {
  MockScript script;
  script.give_read("ab").expect_shutdown();
  MockStream stream = script.stream();
  CountedContext context;
  std::array<char, 1> buffer;
  EXPECT_EQ(stream.read(buffer).poll(context).take().value(), 1u);
  EXPECT_EQ(script.unmet(), "step 1 has not happened: a read of \"b\"\nstep 2 has not happened: a shutdown");
  EXPECT_FALSE(stream.shutdown());
  EXPECT_EQ(script.unmet().substr(0, 52), "step 1: instead of a read of \"b\", a shutdown\nstep 1 ");

  MockScript nothing;
  MockStream silent = nothing.stream();
  EXPECT_EQ(silent.read(buffer).poll(context).take().value(), 0u);
  EXPECT_TRUE(silent.shutdown()) << "the script says nothing of it";
  EXPECT_FALSE(silent.write("x").poll(context).take());
  EXPECT_EQ(nothing.unmet(), "after the last step, a write of \"x\"");
}

TEST(mock_stream, fails_as_it_is_told) {
  MockScript script;
  script.fail_read(std::errc::connection_reset).fail_write(std::errc::broken_pipe);
  MockStream stream = script.stream();
  CountedContext context;
  std::array<char, 1> buffer;
  EXPECT_TRUE(is_pending(stream.write("x").poll(context))) << "the read comes first";
  EXPECT_EQ(stream.read(buffer).poll(context).take().error().message(),
            "read as the script says: Connection reset by peer");
  EXPECT_EQ(context.wakes(), 1) << "now the write";
  EXPECT_EQ(stream.write("x").poll(context).take().error(), std::errc::broken_pipe);
  EXPECT_EQ(script.unmet(), "");
}

TEST(mock_stream_death, a_script_that_nobody_asked_about) {
  auto forgets = [] {
    MockScript script;
    script.expect_write("never");
  };
  EXPECT_DEATH(forgets(), "step 1 has not happened: a write of \"never\"");
}

TEST(any_stream_death, two_reads_at_once) {
  auto twice = [] {
    auto [left, right] = duplex(1);
    AnyReader reader(std::move(right));
    CountedContext context;
    std::array<char, 1> buffer;
    auto first = reader.read(buffer);
    auto second = reader.read(buffer);
    static_cast<void>(first.poll(context));
    static_cast<void>(second.poll(context));
  };
  EXPECT_DEATH(twice(), "two reads of one AnyReader at the same time");
}

}  // namespace
}  // namespace skua::tests
