// MockScript and MockStream: a stream whose other side is written down: for tests of what talks over a stream.
//
//   MockScript script;
//   script.expect_write("PING\r\n").give_read("PONG\r\n").fail_read(std::errc::connection_reset);
//   client.run(script.stream());
//   EXPECT_EQ(script.unmet(), "");       // or says what did not happen, or what else did
//
// The steps are taken strictly in turn. A read waits while a write is expected first, and the other way round, so the
// code may read and write from two branches; if that never comes about it waits for ever, and unmet() says for what. A
// write may come in pieces, and one write may cover several steps; a read never spans two. After the last step reads
// give the end of the stream and writes are errors. A write of other bytes than those expected is an error of that
// write, std::errc::protocol_error, and of all operations after it.
//
// Threads: any, one read and one write at a time. Cancel safety: a dropped operation has taken no byte of its step.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>
#include <skua/time/sleep.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace skua {

class MockState;

/// What the code under test talks to: see AsyncStream. Keeps the script's state alive.
class MockStream {
 public:
  explicit MockStream(Ref<MockState> state) noexcept;
  MockStream(MockStream&&) noexcept;
  MockStream& operator=(MockStream&&) = delete;
  ~MockStream();

  class [[nodiscard]] Read {
   public:
    Read(MockState& state, MutableBuffer buffer) noexcept : state_(state), buffer_(buffer) {}
    Poll<Result<std::size_t>> poll(Context& context);

   private:
    MockState& state_;
    MutableBuffer buffer_;
    std::optional<Sleep> pause_;
  };
  class [[nodiscard]] Write {
   public:
    Write(MockState& state, ConstBuffer buffer) noexcept : state_(state), buffer_(buffer) {}
    Poll<Result<std::size_t>> poll(Context& context);

   private:
    MockState& state_;
    ConstBuffer buffer_;
    std::optional<Sleep> pause_;
  };

  Read read(MutableBuffer buffer) noexcept { return {*state_, buffer}; }
  Write write(ConstBuffer buffer) noexcept { return {*state_, buffer}; }
  /// Meets expect_shutdown(). Where the script has none it is allowed at any time.
  Result<void> shutdown();

 private:
  Ref<MockState> state_;
};

/// The script, and the verdict. If something is unmet and nobody has asked, its destructor ends the program: a test
/// must not pass because it forgot to look.
class MockScript {
 public:
  MockScript();
  MockScript(const MockScript&) = delete;
  MockScript& operator=(const MockScript&) = delete;
  ~MockScript();

  /// The next thing that is written is `bytes`.
  MockScript& expect_write(std::string_view bytes);
  /// The next read gets `bytes`, in as many pieces as its buffer makes necessary.
  MockScript& give_read(std::string_view bytes);
  /// The next read, or write, fails.
  MockScript& fail_read(std::errc error);
  MockScript& fail_write(std::errc error);
  /// The writer is shut down next.
  MockScript& expect_shutdown();
  /// Nothing happens for a while, from when an operation comes to this step. Needs a runtime.
  template <class Rep, class Period>
  MockScript& wait(std::chrono::duration<Rep, Period> duration) {
    return wait_for(std::chrono::duration_cast<Duration>(duration));
  }

  /// The stream that follows the script. Once: a script has one stream.
  MockStream stream();

  /// Empty if all went as written; otherwise what went wrong and what has not happened, a line each.
  std::string unmet() const;

 private:
  MockScript& wait_for(Duration duration);
  Ref<MockState> state_;
  mutable bool asked_ = false;
  bool has_stream_ = false;
};

}  // namespace skua
