// What is built on readers and writers: each over streams in memory of several sizes and over TCP, and with operations
// that are dropped at random.
#include "streams.hpp"

#include <skua/io/mock_stream.hpp>

#include <array>
#include <set>

namespace skua::tests {

using namespace std::chrono_literals;

static_assert(AsyncStream<TcpStream> && AsyncRead<TcpReader> && AsyncWrite<TcpWriter>);
static_assert(!AsyncWrite<TcpReader> && !AsyncRead<TcpWriter>);
static_assert(AsyncRead<PipeReader> && AsyncWrite<PipeWriter> && AsyncStream<fs::File>);
static_assert(AsyncStream<DuplexStream> && AsyncRead<SimplexReader> && AsyncWrite<SimplexWriter>);
static_assert(AsyncStream<MockStream> && AsyncRead<AnyReader> && AsyncWrite<AnyWriter>);
static_assert(AsyncBufRead<BufferedReader<TcpStream>> && AsyncBufRead<Borrowed<BufferedReader<TcpStream>>>);
static_assert(!AsyncBufRead<TcpStream>);
static_assert(AsyncRead<Take<TcpReader>> && AsyncRead<ChainedReader<BufferReader, TcpStream>>);
static_assert(AsyncWrite<BufferedWriter<TcpWriter>> && AsyncWrite<Sink> && AsyncRead<RepeatReader>);

namespace {

class streams : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, streams, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

std::size_t amount(bool is_slow) { return is_slow ? scaled(20'000, 3'000) : scaled(2'000'000, 300'000); }

/// Reads all by hand, in pieces of random sizes.
template <class R>
Task<std::string> receive_in_pieces(R& reader, seam::Random& random) {
  std::string all;
  std::vector<char> buffer(30'000);
  for (;;) {
    const Result<std::size_t> count = co_await reader.read(MutableBuffer(buffer.data(), 1 + random.below(30'000)));
    if (count.value() == 0) co_return all;
    all.append(buffer.data(), count.value());
  }
}

// --- Plain operations -----------------------------------------------------------------------------------------------

TEST_P(streams, read_exact_and_write_all_carry_every_byte) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(0, amount(is_slow));
    auto sender = spawn(send_in_pieces(std::move(left), sent, test.random.next()));
    std::string received(sent.size(), '\0');
    for (std::size_t done = 0; done < sent.size();) {
      const std::size_t size = std::min<std::size_t>(1 + test.random.below(9'000), sent.size() - done);
      const Result<void> read = co_await read_exact(right, MutableBuffer(received).after(done).at_most(size));
      read.value();
      done += size;
    }
    EXPECT_TRUE(received == sent);
    std::array<char, 1> end;
    const Result<std::size_t> nothing = co_await right.read(end);
    EXPECT_EQ(nothing.value(), 0u);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, operations_dropped_at_random_lose_and_repeat_nothing) {
  SeededTest test;
  std::set<bool> was_dropped;
  auto body = [&](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(7, amount(is_slow));
    auto sender = spawn(send_in_pieces(Restless(std::move(left), test.random.next()), sent, test.random.next()));
    Restless receiver(std::move(right), test.random.next());
    const std::string received = co_await receive_in_pieces(receiver, test.random);
    EXPECT_TRUE(received == sent) << received.size() << " of " << sent.size();
    was_dropped.insert(receiver.drops() > 0);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
  EXPECT_TRUE(was_dropped.contains(true)) << "no operation was ever dropped: nothing was tested";
}

TEST_P(streams, read_exact_tells_how_much_came_before_the_end) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), "hello", 1));
    std::array<char, 8> buffer{};
    auto operation = read_exact(right, buffer);
    const Result<void> read = co_await operation;
    EXPECT_EQ(read.error().code(), StreamError::unexpected_eof);
    EXPECT_EQ(read.error().message(), "read_exact 5 of 8 bytes: Unexpected end of the stream");
    EXPECT_EQ(operation.done(), 5u);
    EXPECT_EQ(std::string(buffer.data(), 5), "hello");
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, read_exact_that_is_borrowed_goes_on_where_it_was) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(3);
    std::array<char, 7> buffer{};
    auto operation = read_exact(right, buffer);
    for (const char* piece : {"ab", "c", "def", "g"}) {
      auto first = co_await select(operation, yield_now());
      EXPECT_EQ(first.index(), 1u) << "ready before " << piece;
      const Result<void> sent = co_await write_all(left, piece);
      sent.value();
    }
    const Result<void> read = co_await operation;
    read.value();
    EXPECT_EQ(std::string(buffer.data(), buffer.size()), "abcdefg");
  };
  run(body());
}

TEST_P(streams, read_to_end_holds_its_limit_exactly) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), pattern(0, 10'000), 3));
    std::string text("before ");
    const Result<std::size_t> read = co_await read_to_end(right, text, 10'000);
    EXPECT_EQ(read.value(), 10'000u);
    EXPECT_TRUE(text == "before " + pattern(0, 10'000));
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
  auto over = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), pattern(0, 10'000), 3));
    std::string text;
    const Result<std::size_t> read = co_await read_to_end(right, text, 9'999);
    EXPECT_EQ(read.error(), std::errc::value_too_large);
    EXPECT_EQ(read.error().message().substr(0, 34), "read_to_end more than 9999 bytes: ");
    EXPECT_TRUE(text == pattern(0, 9'999)) << "what came before the limit is there";
    co_await joined(std::move(sender));
  };
  run(over_each_stream(over));
}

TEST_P(streams, read_to_string_and_vector) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), pattern(0, 9'000), 3));
    auto head = take(borrow(right), 3'000);
    const Result<std::string> text = co_await read_to_string(head);
    EXPECT_TRUE(text.value() == pattern(0, 3'000));
    const Result<std::vector<std::byte>> bytes = co_await read_to_end(right);
    const std::string rest = pattern(3'000, 6'000);
    EXPECT_TRUE(std::ranges::equal(bytes.value(), std::as_bytes(std::span(rest))));
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, read_to_end_that_is_dropped_leaves_what_has_come) {
  auto body = []() -> Task<> {
    auto [left, right] = duplex(100);
    std::string text;
    {
      auto reading = read_to_end(right, text);
      EXPECT_EQ((co_await select(reading, yield_now())).index(), 1u);
      (co_await left.write("part")).value();
      EXPECT_EQ((co_await select(reading, yield_now())).index(), 1u);
    }
    EXPECT_EQ(text, "part");
  };
  run(body());
}

// --- BufferedReader -------------------------------------------------------------------------------------------------

TEST_P(streams, buffered_reads_of_any_size_with_cancellations) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(1, amount(is_slow));
    auto sender = spawn(send_in_pieces(std::move(left), sent, test.random.next()));
    BufferedReader buffered(Restless(std::move(right), test.random.next()), 1 + test.random.below(9'000));
    Restless reader(borrow(buffered), test.random.next());
    EXPECT_TRUE(co_await receive_in_pieces(reader, test.random) == sent);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

const std::string text_of_lines = "first\nsecond\r\n\n\r\na\rb\n" + std::string(3'000, 'x') + "\r\nlast";
const std::vector<std::string> the_lines = {"first", "second", "", "", "a\rb", std::string(3'000, 'x'), "last"};

TEST_P(streams, lines_come_without_their_ends) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), text_of_lines, test.random.next()));
    BufferedReader reader(std::move(right), 16);
    std::vector<std::string> received;
    std::string line;
    int drops = 0;
    for (;;) {
      auto make = [&] { return read_line(reader, line); };
      Restarted next(test.random, drops, make);
      const Result<bool> more = co_await next;
      if (!more.value()) break;
      received.push_back(line);
    }
    EXPECT_EQ(received, the_lines);
    const Result<bool> again = co_await read_line(reader, line);
    EXPECT_FALSE(again.value()) << "the end stays";
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, lines_as_strings_of_their_own) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), text_of_lines + "\n", 5));
    BufferedReader reader(std::move(right));
    auto all = lines(reader);
    std::vector<std::string> received;
    for (;;) {
      Result<std::optional<std::string>> line = co_await all.next();
      if (!line.value()) break;
      received.push_back(**line);
    }
    EXPECT_EQ(received, the_lines);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, read_until_keeps_its_limit_and_loses_nothing) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), "0123456789;abc;rest", 5));
    BufferedReader reader(std::move(right), 4);
    std::string piece("untouched");
    for (int i = 0; i < 2; ++i) {
      const Result<std::size_t> read = co_await read_until(reader, ';', piece, 10);
      EXPECT_EQ(read.error(), std::errc::message_size);
      EXPECT_EQ(piece, "untouched");
    }
    const Result<std::size_t> whole = co_await read_until(reader, ';', piece, 11);
    EXPECT_EQ(whole.value(), 11u);
    EXPECT_EQ(piece, "0123456789;");
    const Result<std::size_t> next = co_await read_until(reader, ';', piece, 11);
    EXPECT_EQ(next.value(), 4u);
    EXPECT_EQ(piece, "abc;");
    const Result<std::size_t> last = co_await read_until(reader, ';', piece, 11);
    EXPECT_EQ(last.value(), 4u);
    EXPECT_EQ(piece, "rest");
    const Result<std::size_t> end = co_await read_until(reader, ';', piece, 11);
    EXPECT_EQ(end.value(), 0u);
    EXPECT_EQ(piece, "");
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

// --- BufferedWriter -------------------------------------------------------------------------------------------------

/// Notes each piece that is written.
class Recorder {
 public:
  explicit Recorder(std::vector<std::string>& pieces) : pieces_(&pieces) {}
  auto write(ConstBuffer buffer) {
    return WhenBudgeted([this, buffer] {
      pieces_->emplace_back(reinterpret_cast<const char*>(buffer.data()), buffer.size());
      return buffer.size();
    });
  }

 private:
  std::vector<std::string>* pieces_;
};

TEST_P(streams, buffered_writer_gathers_small_writes_and_passes_large_ones_on) {
  std::vector<std::string> pieces;
  auto body = [&pieces]() -> Task<> {
    BufferedWriter writer(Recorder(pieces), 100);
    for (int i = 0; i < 25; ++i) (co_await write_all(writer, "0123456789")).value();
    EXPECT_EQ(pieces.size(), 2u);
    EXPECT_EQ(writer.buffered().size(), 50u);
    (co_await writer.flush()).value();
    EXPECT_EQ(writer.buffered().size(), 0u);
    (co_await write_all(writer, std::string(100, 'y'))).value();
    EXPECT_EQ(pieces.size(), 4u) << "as large as the buffer: past it";
    (co_await write_all(writer, "lost")).value();
  };
  run(body());
  ASSERT_EQ(pieces.size(), 4u) << "what was not flushed is lost";
  EXPECT_EQ(pieces[0].size() + pieces[1].size() + pieces[2].size(), 250u);
  EXPECT_EQ(pieces[0].size(), 100u);
  EXPECT_EQ(pieces[3], std::string(100, 'y'));
}

TEST_P(streams, buffered_writes_with_cancellations_lose_and_repeat_nothing) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(5, amount(is_slow));
    BufferedWriter writer(Restless(std::move(left), test.random.next()), 1 + test.random.below(1'000));
    auto receive = [](auto reader) -> Task<std::string> {
      const Result<std::string> all = co_await read_to_string(reader);
      co_return all.value();
    };
    auto receiver = spawn(receive(std::move(right)));
    int drops = 0;
    for (std::size_t done = 0; done < sent.size();) {
      const ConstBuffer rest(sent.data() + done,
                             std::min<std::size_t>(1 + test.random.below(1'500), sent.size() - done));
      auto make_write = [&] { return writer.write(rest); };
      Restarted write(test.random, drops, make_write);
      const Result<std::size_t> count = co_await write;
      done += count.value();
      if (test.random.below(10) == 0) {
        auto make_flush = [&] { return writer.flush(); };
        Restarted flush(test.random, drops, make_flush);
        const Result<void> flushed = co_await flush;
        flushed.value();
      }
    }
    auto make_end = [&] { return writer.shutdown(); };
    Restarted end(test.random, drops, make_end);
    const Result<void> ended = co_await end;
    ended.value();
    const std::string received = co_await joined(std::move(receiver));
    EXPECT_TRUE(received == sent) << received.size() << " of " << sent.size();
  };
  run(over_each_stream(body));
}

TEST_P(streams, buffered_writer_tries_again_after_an_error) {
  MockScript script;
  script.expect_write("ab").fail_write(std::errc::no_buffer_space).expect_write("cd").expect_shutdown();
  auto body = [](MockStream stream) -> Task<> {
    BufferedWriter writer(std::move(stream));
    (co_await write_all(writer, "abcd")).value();
    const Result<void> failed = co_await writer.flush();
    EXPECT_EQ(failed.error(), std::errc::no_buffer_space);
    EXPECT_EQ(writer.buffered().size(), 2u);
    const Result<void> ended = co_await writer.shutdown();
    ended.value();
  };
  run(body(script.stream()));
  EXPECT_EQ(script.unmet(), "");
}

// --- Small readers and writers --------------------------------------------------------------------------------------

TEST_P(streams, take_ends_after_its_limit_and_leaves_the_rest) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), "headbody", 4));
    auto head = take(borrow(right), 4);
    const Result<std::string> first = co_await read_to_string(head);
    EXPECT_EQ(first.value(), "head");
    EXPECT_EQ(head.left(), 0u);
    auto body_and_more = take(borrow(right), 100);
    const Result<std::string> second = co_await read_to_string(body_and_more);
    EXPECT_EQ(second.value(), "body");
    EXPECT_EQ(body_and_more.left(), 96u) << "the stream ended before the limit";
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, chain_reads_one_after_the_other) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), " and the rest", 4));
    auto both = chain(chain(BufferReader("read ahead"), empty()), borrow(right));
    const Result<std::size_t> nothing = co_await both.read(MutableBuffer(nullptr, 0));
    EXPECT_EQ(nothing.value(), 0u) << "an empty buffer is not the end of the first";
    const Result<std::string> all = co_await read_to_string(both);
    EXPECT_EQ(all.value(), "read ahead and the rest");
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(streams, repeat_and_sink) {
  auto body = []() -> Task<> {
    auto some = take(repeat('z'), 100'000);
    const Result<std::string> text = co_await read_to_string(some);
    EXPECT_EQ(text.value(), std::string(100'000, 'z'));
    Sink nowhere = sink();
    EXPECT_EQ((co_await nowhere.write("12345")).value(), 5u);
  };
  run(body());
}

// --- Any ------------------------------------------------------------------------------------------------------------

TEST_P(streams, readers_and_writers_of_any_type) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(3, amount(is_slow));
    auto sender = spawn(send_in_pieces(Restless(AnyWriter(std::move(left)), test.random.next()), sent, 9));
    Restless reader(AnyReader(std::move(right)), test.random.next());
    EXPECT_TRUE(co_await receive_in_pieces(reader, test.random) == sent);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

}  // namespace
}  // namespace skua::tests
