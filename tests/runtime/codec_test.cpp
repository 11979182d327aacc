// Codecs by themselves, whatever way their bytes are cut; and items on streams.
#include "streams.hpp"

#include <skua/io/mock_stream.hpp>

#include <array>
#include <functional>
#include <variant>

namespace skua::tests {

using namespace std::chrono_literals;

static_assert(Decoder<LinesCodec> && Encoder<LinesCodec, std::string> && Encoder<LinesCodec, const char (&)[3]>);
static_assert(Decoder<DelimiterCodec> && Encoder<DelimiterCodec, std::string&>);
static_assert(Decoder<LengthDelimitedCodec> && Encoder<LengthDelimitedCodec, std::vector<std::byte>>);
static_assert(Decoder<BytesCodec> && Encoder<BytesCodec, std::string_view>);

namespace {

/// What a decoder made of a stream: its items, and "!" and the message of each error.
using Items = std::vector<std::string>;

template <class D>
std::optional<std::string> next_item(D& decoder, ByteBuffer& buffer, bool has_ended) {
  auto item = has_ended ? decoder.decode_eof(buffer) : decoder.decode(buffer);
  if (!item) return "!" + item.error().message();
  return *item;
}

/// All items of `bytes`, which come in pieces of sizes that `size_of_next()` says. A final error ends it.
template <class D>
Items decode_in_pieces(D decoder, std::string_view bytes, const std::function<std::size_t()>& size_of_next) {
  Items items;
  ByteBuffer buffer;
  const auto take_items = [&](bool has_ended) {
    for (;;) {
      const std::size_t before = buffer.size();
      auto item = next_item(decoder, buffer, has_ended);
      if (!item) break;
      items.push_back(*item);
      if (item->starts_with('!') && buffer.size() == before) return false;  // it took nothing: it is final
    }
    return true;
  };
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), size_of_next());
    buffer.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (!take_items(false)) return items;
  }
  if (take_items(true)) {
    EXPECT_TRUE(buffer.empty()) << "a decoder takes all in the end";
  }
  return items;
}

template <class D>
Items decode_at_once(D decoder, std::string_view bytes) {
  return decode_in_pieces(std::move(decoder), bytes, [&] { return std::max<std::size_t>(bytes.size(), 1); });
}

/// The items are the same byte by byte, at once, and in pieces of random sizes.
template <class D>
void expect_items(const D& decoder, std::string_view bytes, const Items& expected) {
  SeededTest test;
  EXPECT_EQ(decode_at_once(decoder, bytes), expected);
  EXPECT_EQ(decode_in_pieces(decoder, bytes, [] { return std::size_t{1}; }), expected);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(decode_in_pieces(decoder, bytes, [&] { return 1 + test.random.below(1 + test.random.below(40)); }),
              expected);
  }
}

// --- Lines and delimiters -------------------------------------------------------------------------------------------

TEST(lines_codec, takes_both_line_ends_and_a_last_line_without) {
  expect_items(LinesCodec(), "a\nbc\r\n\n\r\nd\re\nlast", {"a", "bc", "", "", "d\re", "last"});
  expect_items(LinesCodec(), "a\n", {"a"});
  expect_items(LinesCodec(), "a\r\r\n", {"a\r"});
  expect_items(LinesCodec(), "", {});
  expect_items(LinesCodec(), "last\r", {"last"});
}

const std::string five = "!decode an item of more than 5 bytes: Message too long";

TEST(lines_codec, is_in_step_again_after_a_line_that_is_too_long) {
  expect_items(LinesCodec(5), "12345\n123456\nok\n", {"12345", five, "ok"});
  expect_items(LinesCodec(5), "12345\r\n123456\r\nok\r\n", {"12345", five, "ok"});
  expect_items(LinesCodec(5), "12345\r\r\nok\n", {five, "ok"});
  expect_items(LinesCodec(5), std::string(1'000, 'x') + "\n" + std::string(1'000, 'y') + "\nok", {five, five, "ok"});
  expect_items(LinesCodec(5), "a\n" + std::string(1'000, 'x'), {"a", five});
  expect_items(LinesCodec(5), "12345\r", {"12345"});
  expect_items(LinesCodec(5), "12345", {"12345"});
  expect_items(LinesCodec(5), "123456", {five});
  expect_items(LinesCodec(0), "\n\r\nx\n\n", {"", "", "!decode an item of more than 0 bytes: Message too long", ""});
}

TEST(lines_codec, needs_no_call_between_an_error_and_the_next_bytes) {
  LinesCodec codec(5);
  ByteBuffer buffer;
  buffer.append("123456");
  EXPECT_EQ(codec.decode(buffer).error(), std::errc::message_size);
  buffer.append("\nok\n");
  EXPECT_EQ(codec.decode(buffer).value(), "ok");
}

TEST(lines_codec, keeps_no_more_than_its_limit) {
  LinesCodec codec(100);
  ByteBuffer buffer;
  int errors = 0;
  for (int i = 0; i < 10'000; ++i) {
    buffer.append("0123456789");
    auto item = codec.decode(buffer);
    errors += item ? 0 : 1;
    ASSERT_LE(buffer.size(), 111u);
  }
  EXPECT_EQ(errors, 1);
  EXPECT_LT(buffer.capacity(), 1'000u);
}

TEST(lines_codec, encodes_what_it_decodes_and_refuses_the_rest) {
  LinesCodec codec(5);
  ByteBuffer buffer;
  codec.encode("one", buffer).value();
  codec.encode("", buffer).value();
  EXPECT_EQ(codec.encode("a\nb", buffer).error().message(), "encode a line that holds a line end: Invalid argument");
  EXPECT_EQ(codec.encode("123456", buffer).error(), std::errc::message_size);
  codec.encode("12345", buffer).value();
  EXPECT_EQ(buffer.text(), "one\n\n12345\n");
}

TEST(delimiter_codec, ends_items_with_any_of_its_set) {
  expect_items(DelimiterCodec(",;"), "a,b;;c", {"a", "b", "", "c"});
  expect_items(DelimiterCodec(",;", 5), "123456;ok,123456", {five, "ok", five});
  expect_items(DelimiterCodec(std::string("\0", 1)), std::string_view("a\0b\r\n\0", 6), {"a", "b\r\n"});
}

TEST(delimiter_codec, encodes_with_its_delimiter) {
  ByteBuffer buffer;
  DelimiterCodec codec(",;", "; ", 5);
  codec.encode("a", buffer).value();
  EXPECT_EQ(codec.encode("a;", buffer).error(), std::errc::invalid_argument);
  EXPECT_EQ(codec.encode("123456", buffer).error(), std::errc::message_size);
  EXPECT_EQ(buffer.text(), "a; ");
  DelimiterCodec first(",;");
  first.encode("b", buffer).value();
  EXPECT_EQ(buffer.text(), "a; b,");
}

TEST(delimiter_codec_death, needs_a_delimiter) {
  EXPECT_DEATH(DelimiterCodec(""), "a DelimiterCodec without delimiters");
}

// --- Lengths --------------------------------------------------------------------------------------------------------

std::string bytes(std::initializer_list<int> values, std::string_view text = "") {
  std::string all;
  for (const int value : values) all += static_cast<char>(value);
  return all.append(text);
}

TEST(length_delimited_codec, layouts_of_its_page) {
  using Options = LengthDelimitedOptions;
  const auto codec = [](Options options) { return LengthDelimitedCodec(options); };
  expect_items(codec(Options()), bytes({0, 0, 0, 3}, "abc") + bytes({0, 0, 0, 0}) + bytes({0, 0, 0, 1}, "x"),
               {"abc", "", "x"});
  expect_items(codec(Options().length_bytes(2).adjustment(-2)), bytes({0, 5}, "abc") + bytes({0, 2}), {"abc", ""});
  expect_items(codec(Options().length_bytes(2).adjustment(2).skip(0)), bytes({0, 3}, "abc"), {bytes({0, 3}, "abc")});
  expect_items(codec(Options().offset(1).length_bytes(3).skip(5)),
               bytes({9, 0, 0, 3, 7}, "abc") + bytes({9, 0, 0, 0, 7}), {"abc", ""});
  expect_items(codec(Options().length_bytes(2).little_endian()), bytes({3, 0}, "abc") + bytes({1, 0}, "x"),
               {"abc", "x"});
  expect_items(codec(Options().length_bytes(8)), bytes({0, 0, 0, 0, 0, 0, 0, 2}, "ab"), {"ab"});
}

TEST(length_delimited_codec, every_size_of_field_both_ways_round) {
  for (std::size_t size = 1; size <= 8; ++size) {
    for (const bool is_little : {false, true}) {
      auto options = LengthDelimitedOptions().length_bytes(size);
      if (is_little) options.little_endian();
      const std::size_t length = size == 1 ? 200 : size == 2 ? 60'000 : 70'000;
      LengthDelimitedCodec codec(options);
      ByteBuffer buffer;
      codec.encode(pattern(0, length), buffer).value();
      EXPECT_EQ(buffer.size(), size + length);
      const auto most = static_cast<unsigned char>(buffer.text()[is_little ? size - 1 : 0]);
      EXPECT_EQ(most, size == 1 ? 200 : size == 2 ? 60'000 >> 8 : size == 3 ? 1 : 0);
      EXPECT_TRUE(codec.decode(buffer).value() == pattern(0, length));
      EXPECT_TRUE(buffer.empty());
    }
  }
}

TEST(length_delimited_codec, refuses_a_frame_above_the_limit_at_its_length) {
  const LengthDelimitedCodec codec(LengthDelimitedOptions().max_frame(5));
  const std::string error = "!decode a frame of length 6, more than 5: Message too long";
  expect_items(codec, bytes({0, 0, 0, 5}, "12345") + bytes({0, 0, 0, 6}), {"12345", error});
  LengthDelimitedCodec by_default;
  ByteBuffer buffer;
  buffer.append(bytes({0, 0x80, 0, 1}));
  EXPECT_EQ(by_default.decode(buffer).error(), std::errc::message_size) << "8 MiB + 1";
  EXPECT_EQ(by_default.decode(buffer).error(), std::errc::message_size) << "and for ever";
  LengthDelimitedCodec other;
  ByteBuffer exactly;
  exactly.append(bytes({0, 0x80, 0, 0}));
  EXPECT_FALSE(other.decode(exactly).value()) << "8 MiB is a frame, of which nothing is there";
}

TEST(length_delimited_codec, no_length_overflows) {
  using Options = LengthDelimitedOptions;
  const std::string largest(8, '\xff');
  for (const std::int64_t adjustment : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    LengthDelimitedCodec codec(Options().length_bytes(8).adjustment(adjustment));
    ByteBuffer buffer;
    buffer.append(largest + "rest");
    EXPECT_EQ(codec.decode(buffer).error(), std::errc::message_size) << adjustment;
  }
  LengthDelimitedCodec negative(Options().length_bytes(1).adjustment(-3));
  ByteBuffer buffer;
  buffer.append(bytes({2}, "rest"));
  EXPECT_EQ(negative.decode(buffer).error(), std::errc::bad_message);
  LengthDelimitedCodec shorter(Options().length_bytes(4).skip(0));
  ByteBuffer other;
  other.append(bytes({0, 0, 0, 3}));
  EXPECT_EQ(shorter.decode(other).error(), std::errc::bad_message) << "the frame would end inside of its own length";
}

TEST(length_delimited_codec, a_part_of_a_frame_at_the_end_is_an_error) {
  const std::string error = "!decode 6 bytes of a frame: Unexpected end of the stream";
  expect_items(LengthDelimitedCodec(), bytes({0, 0, 0, 1}, "x") + bytes({0, 0, 0, 3}, "ab"), {"x", error, error});
  expect_items(LengthDelimitedCodec(), bytes({0}),
               {"!decode 1 bytes of a frame: Unexpected end of the stream",
                "!decode 1 bytes of a frame: Unexpected end of the stream"});
}

TEST(length_delimited_codec, encode_refuses_what_could_not_be_read) {
  using Options = LengthDelimitedOptions;
  ByteBuffer buffer;
  EXPECT_EQ(LengthDelimitedCodec(Options().max_frame(2)).encode("abc", buffer).error(), std::errc::message_size);
  EXPECT_EQ(LengthDelimitedCodec(Options().length_bytes(1)).encode(std::string(256, 'x'), buffer).error(),
            std::errc::message_size);
  EXPECT_EQ(LengthDelimitedCodec(Options().adjustment(4)).encode("abc", buffer).error(), std::errc::message_size);
  EXPECT_EQ(LengthDelimitedCodec(Options().offset(1)).encode("abc", buffer).error(), std::errc::not_supported);
  EXPECT_EQ(LengthDelimitedCodec(Options().skip(0)).encode("abc", buffer).error(), std::errc::not_supported);
  EXPECT_TRUE(buffer.empty());
  LengthDelimitedCodec(Options().length_bytes(1).adjustment(-1)).encode("abc", buffer).value();
  EXPECT_EQ(buffer.text(), bytes({4}, "abc"));
}

TEST(length_delimited_codec_death, field_of_nine_bytes) {
  EXPECT_DEATH(LengthDelimitedOptions().length_bytes(9), "length_bytes\\(\\) takes 1 to 8");
  EXPECT_DEATH(LengthDelimitedOptions().length_bytes(0), "length_bytes\\(\\) takes 1 to 8");
}

// Whatever comes, and however it is cut: the same items, and nothing but items and errors.
TEST(codecs, garbage_decodes_alike_however_it_is_cut) {
  SeededTest test;
  for (int round = 0; round < scaled(300, 60); ++round) {
    std::string garbage(test.random.below(300), '\0');
    constexpr std::string_view letters("\n\r,;\0\1\2ab", 9);
    for (char& c : garbage) c = letters[test.random.below(9)];
    const std::size_t limit = test.random.below(20);
    auto sizes = [&] { return 1 + test.random.below(9); };
    const LinesCodec lines(limit);
    ASSERT_EQ(decode_in_pieces(lines, garbage, sizes), decode_at_once(lines, garbage));
    const DelimiterCodec delimiters(",;\n", limit);
    ASSERT_EQ(decode_in_pieces(delimiters, garbage, sizes), decode_at_once(delimiters, garbage));
    const LengthDelimitedCodec lengths(LengthDelimitedOptions()
                                           .length_bytes(1 + test.random.below(3))
                                           .offset(test.random.below(3))
                                           .adjustment(static_cast<int>(test.random.below(5)) - 2)
                                           .max_frame(1'000));
    ASSERT_EQ(decode_in_pieces(lengths, garbage, sizes), decode_at_once(lengths, garbage));
  }
}

// --- On streams -----------------------------------------------------------------------------------------------------

class framed : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, framed, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

/// Items of random sizes that no delimiter is part of.
std::vector<std::string> random_items(seam::Random& random, int count, std::uint32_t largest) {
  std::vector<std::string> items;
  for (int i = 0; i < count; ++i) {
    std::string item(random.below(random.below(10) == 0 ? largest : 40), '\0');
    for (char& c : item) c = static_cast<char>('a' + random.below(26));
    items.push_back(std::move(item));
  }
  return items;
}

/// Sends by feed() and flush(), both dropped at random; feeds that were dropped were not taken.
template <class S, class Codec>
Task<> send_items(S stream, Codec codec, std::vector<std::string> items, std::uint64_t seed) {
  seam::Random random(seed);
  FramedWrite sink(Restless(std::move(stream), random.next()), std::move(codec));
  int drops = 0;
  for (std::string& item : items) {
    auto make_feed = [&] { return sink.feed(item); };
    Restarted feed(random, drops, make_feed);
    const Result<void> fed = co_await feed;
    fed.value();
    if (random.below(20) != 0) continue;
    auto make_flush = [&] { return sink.flush(); };
    Restarted flush(random, drops, make_flush);
    const Result<void> flushed = co_await flush;
    flushed.value();
  }
  const Result<void> ended = co_await sink.shutdown();
  ended.value();
}

template <class S, class Codec>
Task<std::vector<std::string>> receive_items(S stream, Codec codec, std::uint64_t seed) {
  seam::Random random(seed);
  FramedRead source(std::move(stream), std::move(codec));
  int drops = 0;
  std::vector<std::string> items;
  for (;;) {
    auto make = [&] { return source.next(); };
    Restarted next(random, drops, make);
    Result<std::optional<std::string>> item = co_await next;
    if (!item.value()) co_return items;
    items.push_back(**item);
  }
}

TEST_P(framed, items_arrive_as_they_were_sent_whatever_is_dropped) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const auto items = random_items(test.random, is_slow ? 100 : scaled(2'000, 300), is_slow ? 100 : 20'000);
    auto sender = spawn(send_items(std::move(left), LengthDelimitedCodec(), items, test.random.next()));
    const auto received = co_await receive_items(std::move(right), LengthDelimitedCodec(), test.random.next());
    EXPECT_TRUE(received == items);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
  auto with_lines = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const auto items = random_items(test.random, is_slow ? 100 : scaled(2'000, 300), is_slow ? 100 : 20'000);
    auto sender = spawn(send_items(std::move(left), LinesCodec(), items, test.random.next()));
    const auto received = co_await receive_items(std::move(right), LinesCodec(), test.random.next());
    EXPECT_TRUE(received == items);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(with_lines));
}

template <class S>
Task<> echo_lines(S stream) {
  Framed lines(std::move(stream), LinesCodec());
  for (;;) {
    Result<std::optional<std::string>> line = co_await lines.next();
    if (!line.value()) co_return;
    const Result<void> sent = co_await lines.send(*std::move(*line));
    sent.value();
  }
}

TEST_P(framed, both_ways_on_one_stream) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto server = spawn(echo_lines(std::move(right)));
    {
      Framed lines(std::move(left), LinesCodec());
      for (int i = 0; i < 50; ++i) {
        const std::string line = "line " + std::to_string(i);
        const Result<void> sent = co_await lines.send(line);
        sent.value();
        const Result<std::optional<std::string>> answer = co_await lines.next();
        EXPECT_EQ(answer.value(), line);
      }
      const Result<void> ended = co_await lines.shutdown();
      ended.value();
      const Result<std::optional<std::string>> end = co_await lines.next();
      EXPECT_EQ(end.value(), std::nullopt);
      const Result<std::optional<std::string>> again = co_await lines.next();
      EXPECT_EQ(again.value(), std::nullopt);
    }
    co_await joined(std::move(server));
  };
  run(over_each_stream(body));
}

TEST_P(framed, goes_on_after_an_error_of_the_decoder) {
  auto body = [](auto left, auto right, bool) -> Task<> {
    auto sender = spawn(send_in_pieces(std::move(left), "ok\n" + std::string(10'000, 'x') + "\nagain\n", 2));
    FramedRead lines(std::move(right), LinesCodec(100));
    const Result<std::optional<std::string>> first = co_await lines.next();
    EXPECT_EQ(first.value(), "ok");
    const Result<std::optional<std::string>> second = co_await lines.next();
    EXPECT_EQ(second.error(), std::errc::message_size);
    const Result<std::optional<std::string>> third = co_await lines.next();
    EXPECT_EQ(third.value(), "again");
    const Result<std::optional<std::string>> end = co_await lines.next();
    EXPECT_EQ(end.value(), std::nullopt);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(framed, error_of_the_reader_is_final) {
  MockScript script;
  script.give_read("whole\npart").fail_read(std::errc::connection_reset);
  auto body = [](MockStream stream) -> Task<> {
    FramedRead lines(std::move(stream), LinesCodec());
    EXPECT_EQ((co_await lines.next()).value(), "whole");
    for (int i = 0; i < 3; ++i) {
      const auto failed = co_await lines.next();
      EXPECT_EQ(failed.error(), std::errc::connection_reset)
          << "not the end of the stream, which the socket gives next";
    }
    EXPECT_EQ(lines.buffered().text(), "part");
  };
  run(body(script.stream()));
  EXPECT_EQ(script.unmet(), "");
}

TEST_P(framed, error_of_the_writer_is_final_and_one_of_the_encoder_is_not) {
  MockScript script;
  script.expect_write("good\n").fail_write(std::errc::broken_pipe);
  auto body = [](MockStream stream) -> Task<> {
    FramedWrite lines(std::move(stream), LinesCodec(10));
    EXPECT_EQ((co_await lines.send("much too long")).error(), std::errc::message_size);
    (co_await lines.send("good")).value();
    EXPECT_EQ((co_await lines.send("bad")).error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await lines.feed("more")).error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await lines.flush()).error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await lines.shutdown()).error(), std::errc::broken_pipe);
  };
  run(body(script.stream()));
  EXPECT_EQ(script.unmet(), "");
}

TEST_P(framed, feed_waits_above_its_limit_and_a_dropped_one_was_not_taken) {
  auto body = []() -> Task<> {
    auto [reader, writer] = simplex(1);
    FramedWrite lines(std::move(writer), LinesCodec());
    lines.set_feed_limit(10);
    (co_await lines.feed("12345678901")).value();
    {
      auto first = co_await select(lines.feed("dropped"), yield_now());
      EXPECT_EQ(first.index(), 1u) << "12 bytes, of which 1 fits into the pipe";
    }
    auto receive = [](SimplexReader from) -> Task<std::string> { co_return (co_await read_to_string(from)).value(); };
    auto receiver = spawn(receive(std::move(reader)));
    (co_await lines.feed("next")).value();
    (co_await lines.shutdown()).value();
    EXPECT_EQ((co_await receiver).value(), "12345678901\nnext\n");
  };
  run(body());
}

/// A decoder that never finds anything, and has no limit.
struct Insatiable {
  using Item = int;
  Result<std::optional<int>> decode(ByteBuffer&) { return std::optional<int>(); }
  Result<std::optional<int>> decode_eof(ByteBuffer& buffer) {
    buffer.clear();
    return std::optional<int>();
  }
};
struct Modest : Insatiable {
  std::size_t buffer_limit() const { return 1'000; }
};

TEST_P(framed, a_buffer_in_which_nothing_is_found_has_a_limit) {
  auto body = []() -> Task<> {
    FramedRead items(repeat('x'), Insatiable());
    EXPECT_EQ((co_await items.next()).error().message(), "next no item in 16777216 bytes: Message too long");
    EXPECT_EQ((co_await items.next()).error(), std::errc::message_size) << "final";
    FramedRead few(repeat('x'), Modest());
    EXPECT_EQ((co_await few.next()).error().message(), "next no item in 1000 bytes: Message too long");
  };
  run(body());
}

TEST_P(framed, bytes_codec_gives_the_stream) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(0, is_slow ? 1'000 : 100'000);
    auto sender = spawn(send_in_pieces(std::move(left), sent, test.random.next()));
    const auto pieces = co_await receive_items(std::move(right), BytesCodec(), test.random.next());
    std::string received;
    for (const std::string& piece : pieces) received += piece;
    EXPECT_TRUE(received == sent);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

}  // namespace
}  // namespace skua::tests
