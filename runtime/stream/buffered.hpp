// buffered(n), buffer_unordered(n): the outputs of a stream of futures, up to `n` of which run at the same time.
//
//   auto pages = stream::from(urls) | stream::map(fetch) | stream::buffered(8);
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/future.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/futures_ordered.hpp>
#include <skua/task/futures_unordered.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace skua::stream {

/// `Set` is FuturesOrdered or FuturesUnordered.
template <class S, class Set>
class [[nodiscard]] Buffered {
 public:
  using Item = typename Set::Item;

  Buffered(S&& source, std::size_t limit) : source_(std::forward<S>(source)), limit_(limit) {
    if (limit == 0) fail_fast("buffered() was given a limit of 0", "Give it at least 1");
  }

  PollNext<Item> poll_next(Context& context) {
    while (!has_ended_ && running_.size() < limit_) {
      auto next = poll_within_budget(source_, context);
      if (next.is_pending()) break;
      if (next.value()) {
        running_.push(*std::move(next.value()));
      } else {
        has_ended_ = true;
      }
    }
    if (running_.is_empty() && !has_ended_) return pending;  // the source knows the waker
    return running_.poll_next(context);
  }

 private:
  S source_;
  std::size_t limit_;
  Set running_;
  bool has_ended_ = false;
};

/// The outputs in the order of the source's futures, of which up to `limit` run at the same time: those included that
/// are ready and wait for their turn. Runs only while it is polled: a consumer that is busy keeps the futures back. If
/// a future throws, poll_next() does in its turn; the others stay. Cancel safety: no output is lost.
inline auto buffered(std::size_t limit) {
  return Adaptor(
      []<class S>(S&& source, std::size_t given) {
        return Buffered<S, FuturesOrdered<StreamItem<S>>>(std::forward<S>(source), given);
      },
      limit);
}

/// The same in the order in which the futures are ready.
inline auto buffer_unordered(std::size_t limit) {
  return Adaptor(
      []<class S>(S&& source, std::size_t given) {
        return Buffered<S, FuturesUnordered<StreamItem<S>>>(std::forward<S>(source), given);
      },
      limit);
}

}  // namespace skua::stream
