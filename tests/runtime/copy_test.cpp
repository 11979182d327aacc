// copy() and copy_bidirectional().
#include "streams.hpp"

#include <skua/io/mock_stream.hpp>

#include <array>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class copying : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, copying, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

template <class S>
Task<std::string> receive_all(S stream) {
  const Result<std::string> all = co_await read_to_string(stream);
  co_return all.value();
}

TEST_P(copying, copies_everything_whatever_the_buffer) {
  SeededTest test;
  auto body = [&test](auto left, auto right, bool is_slow) -> Task<> {
    const std::string sent = pattern(0, is_slow ? 5'000 : scaled(1'000'000, 100'000));
    auto sender = spawn(send_in_pieces(std::move(left), sent, test.random.next()));
    auto [reader, writer] = simplex(1 + test.random.below(10'000));
    auto receiver = spawn(receive_all(std::move(reader)));
    const CopyOptions options = CopyOptions().buffer_size(1 + test.random.below(20'000));
    const Result<std::uint64_t> copied = co_await copy(right, writer, options);
    EXPECT_EQ(copied.value(), sent.size());
    const Result<void> ended = co_await shutdown(writer);
    ended.value();
    const std::string received = co_await joined(std::move(receiver));
    EXPECT_TRUE(received == sent);
    co_await joined(std::move(sender));
  };
  run(over_each_stream(body));
}

TEST_P(copying, flushes_what_the_writer_holds_back) {
  auto body = []() -> Task<> {
    BufferReader reader("held back");
    auto [end, start] = simplex(100);
    BufferedWriter writer(std::move(start));
    EXPECT_EQ((co_await copy(reader, writer)).value(), 9u);
    EXPECT_EQ(writer.buffered().size(), 0u);
    std::array<char, 9> buffer{};
    EXPECT_EQ((co_await end.read(buffer)).value(), 9u);
  };
  run(body());
}

TEST_P(copying, tells_how_far_it_came_before_an_error) {
  MockScript writer_script;
  writer_script.expect_write("abcd").fail_write(std::errc::broken_pipe);
  MockScript reader_script;
  reader_script.give_read("abc").fail_read(std::errc::connection_reset);
  auto body = [](MockStream to, MockStream from) -> Task<> {
    BufferReader reader("abcdef");
    std::uint64_t written = 99;
    CopyOptions options = CopyOptions().buffer_size(6).progress(written);
    const Result<std::uint64_t> copied = co_await copy(reader, to, options);
    EXPECT_EQ(copied.error(), std::errc::broken_pipe);
    EXPECT_EQ(written, 4u);
    EXPECT_EQ(copied.error().message(),
              "copy after 4 bytes, write_all 4 of 6 bytes, write as the script says: Broken pipe");
    Sink nowhere;
    const Result<std::uint64_t> other = co_await copy(from, nowhere, options);
    EXPECT_EQ(other.error().message(), "copy after 3 bytes, read as the script says: Connection reset by peer");
    EXPECT_EQ(written, 3u);
  };
  run(body(writer_script.stream(), reader_script.stream()));
  EXPECT_EQ(writer_script.unmet(), "");
  EXPECT_EQ(reader_script.unmet(), "");
}

/// Like RepeatReader, but does not know of budgets.
struct Greedy {
  auto read(MutableBuffer buffer) { return ReadyWith<Result<std::size_t>>(buffer.size()); }
  auto write(ConstBuffer buffer) { return ReadyWith<Result<std::size_t>>(buffer.size()); }
};

TEST_P(copying, endless_copies_in_memory_give_way) {
  auto body = []() -> Task<> {
    Greedy greedy;
    EXPECT_EQ((co_await timeout(2ms, copy(greedy, greedy))).error(), std::errc::timed_out);
    RepeatReader zeros = repeat('\0');
    Sink nowhere = sink();
    EXPECT_EQ((co_await timeout(2ms, copy(zeros, nowhere))).error(), std::errc::timed_out);
  };
  run(body());
}

Task<> copies_for_ever() {
  Greedy greedy;
  static_cast<void>(co_await copy(greedy, greedy));
}

TEST_P(copying, other_tasks_run_beside_endless_copies) {
  auto body = []() -> Task<> {
    std::vector<JoinHandle<void>> endless;
    for (int i = 0; i < 3; ++i) endless.push_back(spawn(copies_for_ever()));
    for (int i = 0; i < 100; ++i) co_await yield_now();
    for (auto& task : endless) task.abort();
    for (auto& task : endless) EXPECT_TRUE((co_await task).error().is_cancelled());
  };
  run(body());
}

// --- Both ways ------------------------------------------------------------------------------------------------------

/// Reads the whole question, then answers: only a half-close that comes through lets it answer at all.
template <class S>
Task<> answer(S stream, std::string expected, std::string reply) {
  const Result<std::string> question = co_await read_to_string(stream);
  EXPECT_TRUE(question.value() == expected);
  const Result<void> sent = co_await write_all(stream, reply);
  sent.value();
}
template <class S>
Task<std::string> ask(S stream, std::string question) {
  const Result<void> sent = co_await write_all(stream, question);
  sent.value();
  const Result<void> ended = co_await shutdown(stream);
  ended.value();
  const Result<std::string> reply = co_await read_to_string(stream);
  co_return reply.value();
}
template <class A, class B>
Task<BothWays> proxy(A near, B far, std::size_t buffer_size) {
  BothWays progress;
  const Result<BothWays> bytes = co_await copy_bidirectional(near, far, progress, buffer_size);
  EXPECT_EQ(progress.a_to_b, bytes.value().a_to_b);
  co_return bytes.value();
}

TEST_P(copying, both_ways_hands_on_the_half_close_and_counts) {
  auto body = [](auto left, auto right, bool is_slow) -> Task<> {
    const std::string question = pattern(0, is_slow ? 3'000 : 300'000);
    const std::string reply = pattern(9, is_slow ? 2'000 : 200'000);
    auto [near, far] = duplex(1'000);
    auto server = spawn(answer(std::move(far), question, reply));
    auto between = spawn(proxy(std::move(right), std::move(near), 777));
    const std::string got = co_await joined(spawn(ask(std::move(left), question)));
    EXPECT_TRUE(got == reply);
    const BothWays bytes = co_await joined(std::move(between));
    EXPECT_EQ(bytes.a_to_b, question.size());
    EXPECT_EQ(bytes.b_to_a, reply.size());
    co_await joined(std::move(server));
  };
  run(over_each_stream(body));
}

TEST_P(copying, both_ways_when_the_far_side_ends_first) {
  auto body = [](auto left, auto right, bool is_slow) -> Task<> {
    const std::string question = pattern(0, is_slow ? 3'000 : 300'000);
    auto [near, far] = duplex(1'000);
    auto client = spawn(answer(std::move(left), question, "short"));
    auto between = spawn(proxy(std::move(right), std::move(near), 100));
    const std::string got = co_await joined(spawn(ask(std::move(far), question)));
    EXPECT_TRUE(got == "short");
    const BothWays bytes = co_await joined(std::move(between));
    EXPECT_EQ(bytes.a_to_b, 5u);
    EXPECT_EQ(bytes.b_to_a, question.size());
    co_await joined(std::move(client));
  };
  run(over_each_stream(body));
}

TEST_P(copying, both_ways_ends_with_the_error_of_one_side_and_keeps_both_counts) {
  auto body = []() -> Task<> {
    MockScript script;
    script.give_read("abc").expect_write("12").fail_read(std::errc::connection_reset);
    {
      MockStream near = script.stream();
      auto [far, server] = duplex(100);
      (co_await server.write("12")).value();
      BothWays progress;
      const Result<BothWays> bytes = co_await copy_bidirectional(near, far, progress);
      EXPECT_EQ(bytes.error(), std::errc::connection_reset);
      EXPECT_EQ(bytes.error().message(), "copy after 3 bytes, read as the script says: Connection reset by peer");
      EXPECT_EQ(progress.a_to_b, 3u);
      EXPECT_EQ(progress.b_to_a, 2u);
    }
    EXPECT_EQ(script.unmet(), "");
  };
  run(body());
}

}  // namespace
}  // namespace skua::tests
