// chunks_timeout(n, d): the items in vectors of `n`, or fewer when no more come within a time.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/chunks.hpp>
#include <skua/stream/stream.hpp>
#include <skua/time/sleep.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] ChunksTimeout {
 public:
  using Item = typename Chunks<S>::Item;

  ChunksTimeout(S&& source, std::size_t size, Duration longest)
      : chunks_(std::forward<S>(source), size), longest_(longest) {}

  PollNext<Item> poll_next(Context& context) {
    auto chunk = chunks_.poll_next(context);
    if (chunk.is_ready()) {
      limit_.reset();
      return chunk;
    }
    if (chunks_.begun().empty()) return pending;
    if (!limit_) limit_.emplace(sleep(longest_));
    if (limit_->poll_without_budget(context).is_pending()) return pending;
    limit_.reset();
    return PollNext<Item>(chunks_.take_begun());
  }

 private:
  Chunks<S> chunks_;
  Duration longest_;
  std::optional<Sleep> limit_;  // while a chunk is begun
};

/// Vectors of `size` items, or of those that came within `longest` of a chunk's first one; none is empty. On a worker
/// or inside block_on(). Cancel safety: no item is lost, and the time goes on.
template <class Rep, class Period>
auto chunks_timeout(std::size_t size, std::chrono::duration<Rep, Period> longest) {
  return Adaptor([]<class S>(S&& source, std::size_t items,
                             Duration time) { return ChunksTimeout<S>(std::forward<S>(source), items, time); },
                 size, saturating_duration(longest));
}

}  // namespace skua::stream
