// AsyncRead and AsyncWrite: what the algorithms and adaptors of io/ ask of a reader and of a writer. No base class: any
// type with a read(), or a write(), of the right shape.
//
// The contract of a reader:
//  - read(buffer) is a future of Result<std::size_t>: how many bytes came, at least one and perhaps fewer than there is
//    room for. 0 says that the stream has ended; an empty buffer gives 0 too, and says nothing.
//  - Cancel safety: a read that is dropped while it is pending has taken nothing from the stream.
// The contract of a writer:
//  - write(buffer) is a future of Result<std::size_t>: how many bytes were taken, at least one and perhaps not all; 0
//  for
//    an empty buffer alone.
//  - Cancel safety: a write that is dropped while it is pending has written nothing.
//  - flush() is a future of Result<void>: ready when what was taken is on its way. It may be missing where nothing is
//    held back. Dropped, it may be called again.
//  - shutdown(), if there is one, ends the stream: what reads the other end gets all that was written, then 0. It is a
//    future of Result<void>, or a Result<void> where it never waits. What was held back is flushed first.
// Of both:
//  - The future borrows the reader or writer and the memory. It does nothing before it is polled, may be moved before
//    the first poll, and takes a unit of the budget (core/budget.hpp) for what it does, so that a loop over it gives
//    way.
//  - One read at a time, and one write; both at the same time from two threads only if the type says so. A pending one
//    is awaited to its end or dropped before the next.
//
// Algorithms (read_exact(), copy(), ...) take readers and writers as lvalues and borrow them: the caller keeps them
// alive until the algorithm has ended, as it does when both stand in one co_await expression. To run one in a task of
// its own, move the stream into a coroutine and call the algorithm there. Adaptors (BufferedReader, Take, ...) own what
// they are made from; Borrowed (io/borrow.hpp) lets them work on what somebody else owns.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/core/try.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/shutdown.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

namespace skua {

template <class F, class T>
concept FutureOf = Future<F> && std::move_constructible<F> && std::same_as<Output<F>, T>;

template <class R>
concept AsyncRead = requires(R& reader, MutableBuffer buffer) {
  { reader.read(buffer) } -> FutureOf<Result<std::size_t>>;
};

template <class W>
concept AsyncWrite = requires(W& writer, ConstBuffer buffer) {
  { writer.write(buffer) } -> FutureOf<Result<std::size_t>>;
};

template <class S>
concept AsyncStream = AsyncRead<S> && AsyncWrite<S>;

/// A reader that keeps what it has read ahead.
///   buffered()   the bytes that have come and were not consumed, in one piece, until the next fill
///   fill()       a future of Result<std::size_t>: reads more behind them; 0 at the end of the stream. Cancel safe.
///   consume(n)   takes the first n of buffered() away
template <class R>
concept AsyncBufRead = AsyncRead<R> && requires(R& reader, std::size_t count) {
  { reader.buffered() } -> std::convertible_to<std::span<const std::byte>>;
  { reader.fill() } -> FutureOf<Result<std::size_t>>;
  reader.consume(count);
};

template <AsyncRead R>
using ReadFuture = decltype(std::declval<R&>().read(std::declval<MutableBuffer>()));
template <AsyncWrite W>
using WriteFuture = decltype(std::declval<W&>().write(std::declval<ConstBuffer>()));

/// writer.flush(), or ready at once for a writer that has none.
template <AsyncWrite W>
auto flush(W& writer) {
  if constexpr (requires {
                  { writer.flush() } -> FutureOf<Result<void>>;
                }) {
    return writer.flush();
  } else {
    return Immediate<Result<void>>(Result<void>());
  }
}

/// A shutdown() that does not wait, called when it is awaited.
template <class W>
class [[nodiscard]] ImmediateShutdown {
 public:
  explicit ImmediateShutdown(W& writer) noexcept : writer_(writer) {}
  Poll<Result<void>> poll(Context&) {
    if constexpr (requires { writer_.shutdown(); }) {
      return writer_.shutdown();
    } else {
      return writer_.shutdown(Shutdown::write);
    }
  }

 private:
  W& writer_;
};

template <class W>
concept ShutsDownAtOnce = requires(W& writer) {
  { writer.shutdown() } -> std::same_as<Result<void>>;
} || requires(W& writer) {
  { writer.shutdown(Shutdown::write) } -> std::same_as<Result<void>>;
};

/// Ends what `writer` writes, whichever shutdown() it has; for one that has none, a flush(). A future of Result<void>.
template <AsyncWrite W>
auto shutdown(W& writer) {
  if constexpr (requires {
                  { writer.shutdown() } -> FutureOf<Result<void>>;
                }) {
    return writer.shutdown();
  } else if constexpr (ShutsDownAtOnce<W>) {
    return ImmediateShutdown<W>(writer);
  } else {
    return skua::flush(writer);
  }
}

template <AsyncWrite W>
using FlushFuture = decltype(skua::flush(std::declval<W&>()));
template <AsyncWrite W>
using ShutdownFuture = decltype(skua::shutdown(std::declval<W&>()));

}  // namespace skua
