// copy_bidirectional(): connects two streams: what a proxy does with each connection.
//
//   const BothWays bytes = co_await try_(copy_bidirectional(client, server));
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/copy.hpp>
#include <skua/task/select.hpp>

#include <cstdint>
#include <utility>
#include <variant>

namespace skua {

/// Bytes that went each way.
struct BothWays {
  std::uint64_t a_to_b = 0;
  std::uint64_t b_to_a = 0;
};

/// A copy() to the end, which is then handed on: the writer is shut down.
template <AsyncRead R, AsyncWrite W>
Task<Result<void>> copy_with_end(R& reader, W& writer, CopyOptions options) {
  const Result<std::uint64_t> copied = co_await copy(reader, writer, options);
  if (!copied) co_return copied.error();
  co_return co_await skua::shutdown(writer);
}

/// Copies what `a` gives to `b`, and what `b` gives to `a`, both at once, until both have ended; ready with both
/// counts. A half-close is handed on: when one side ends what it sends, the other is shut down for writing, and the
/// answer still comes through. Errors: the first on either side; the copy the other way is given up with it, and the
/// caller, by dropping the streams, tells both peers. `progress` is kept up to date, so it has the counts after an
/// error too. Each way has a buffer of `buffer_size` bytes. Not cancel safe, as copy(). All references must outlive the
/// task.
template <AsyncStream A, AsyncStream B>
Task<Result<BothWays>> copy_bidirectional(A& a, B& b, BothWays& progress,
                                          std::size_t buffer_size = default_copy_buffer_size) {
  auto there = copy_with_end(a, b, CopyOptions().buffer_size(buffer_size).progress(progress.a_to_b));
  auto back = copy_with_end(b, a, CopyOptions().buffer_size(buffer_size).progress(progress.b_to_a));
  using First = std::variant<Result<void>, Result<void>>;
  First first = co_await select(there, back);
  const bool was_there = first.index() == 0;
  Result<void> ended = was_there ? std::get<0>(std::move(first)) : std::get<1>(std::move(first));
  if (!ended) co_return std::move(ended).error();
  Result<void> other = co_await (was_there ? back : there);
  if (!other) co_return std::move(other).error();
  co_return progress;
}

template <AsyncStream A, AsyncStream B>
Task<Result<BothWays>> copy_bidirectional(A& a, B& b) {
  BothWays progress;
  co_return co_await copy_bidirectional(a, b, progress);
}

}  // namespace skua
