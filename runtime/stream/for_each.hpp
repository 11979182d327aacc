// for_each(f), try_for_each(f): does something with each item, one after the other.
//
//   co_await (lines | stream::for_each(print));
//   co_await try_(connections | stream::try_for_each(serve));     // Task<Result<void>> serve(TcpStream)
#pragma once

#include <skua/core/future.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/drain.hpp>
#include <skua/stream/map.hpp>
#include <skua/stream/stream.hpp>
#include <skua/stream/then.hpp>

#include <type_traits>
#include <utility>

namespace skua::stream {

/// What `f` gives: at once, or as the future that it returns.
template <class S, class F>
using Done = typename std::conditional_t<Future<std::invoke_result_t<F&, StreamItem<S>>>,
                                         std::type_identity<Then<S, F>>, std::type_identity<Map<S, F>>>::type;

/// A future that calls `f(item)` of each item and is ready when the stream has ended. If `f` returns a future, a Task
/// for example, that is awaited before the next item; what comes of it is dropped. Cancel safety: dropped, it cancels
/// the future that is begun; a borrowed stream can be used on.
template <class F>
auto for_each(F f) {
  return Adaptor(
      []<class S>(S&& source, F given) {
        using Each = Done<S, F>;
        return Drain<Each>(Each(std::forward<S>(source), std::move(given)));
      },
      std::move(f));
}

/// The same with an `f` of Result<void>, or of a future of it: a future of Result<void> that ends with the first error.
template <class F>
auto try_for_each(F f) {
  return Adaptor(
      []<class S>(S&& source, F given) {
        using Each = Done<S, F>;
        return TryDrain<Each>(Each(std::forward<S>(source), std::move(given)));
      },
      std::move(f));
}

}  // namespace skua::stream
