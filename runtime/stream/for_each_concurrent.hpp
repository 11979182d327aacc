// for_each_concurrent(n, f), try_for_each_concurrent(n, f): does something with each item, with up to `n` at the same
// time, in one task.
//
//   co_await (stream::incoming(listener) | stream::for_each_concurrent(1000, serve));
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/buffered.hpp>
#include <skua/stream/drain.hpp>
#include <skua/stream/map.hpp>
#include <skua/stream/stream.hpp>

#include <cstddef>
#include <utility>

namespace skua::stream {

template <class S, class F>
using DoneConcurrently = Buffered<Map<S, F>, FuturesUnordered<StreamItem<Map<S, F>>>>;

/// A future that is ready when the stream has ended and so have all futures that `f(item)` returned, of which up to
/// `limit` run at the same time; no item is asked for while so many run. All in the task that awaits it: on several
/// workers only with spawn(). An exception of one cancels the others when the object is destroyed. Cancel safety:
/// dropped, it cancels the futures that run; a borrowed stream can be used on.
template <class F>
auto for_each_concurrent(std::size_t limit, F f) {
  return Adaptor(
      []<class S>(S&& source, std::size_t most, F given) {
        using Each = DoneConcurrently<S, F>;
        return Drain<Each>(Each(Map<S, F>(std::forward<S>(source), std::move(given)), most));
      },
      limit, std::move(f));
}

/// The same with futures of Result<void>: a future of Result<void> that ends with the first error; the others are
/// cancelled when the object is destroyed, at the end of the co_await expression.
template <class F>
auto try_for_each_concurrent(std::size_t limit, F f) {
  return Adaptor(
      []<class S>(S&& source, std::size_t most, F given) {
        using Each = DoneConcurrently<S, F>;
        return TryDrain<Each>(Each(Map<S, F>(std::forward<S>(source), std::move(given)), most));
      },
      limit, std::move(f));
}

}  // namespace skua::stream
