// The Stream concept: values that come one after the other: any type with `PollNext<T> poll_next(Context&)`.
//
//   while (auto item = co_await next(stream)) use(*item);                       // next.hpp
//   auto names = users | stream::filter(is_active) | stream::map(name_of);     // the adaptors, in namespace stream
//
// The contract of poll_next():
//  - As poll() of a future: it does not block, and when it is pending it has made sure that the waker of this call is
//    woken when another call is worth while.
//  - It may be called when nothing has changed, and after each item; not again after it said that the stream has ended.
//  - The stream is what has a memory, not the call: an item that was not taken is there for the next call. So dropping
//    the future that waits for an item, at any time, loses nothing.
//  - From the first call on the stream stays where it is in memory until it is destroyed. Destroying it cancels it.
//  - One that is ready each time takes the task's budget (core/budget.hpp), so that others run.
//
// Values of bytes are another matter: those come from readers (io/concepts.hpp).
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/context.hpp>
#include <skua/core/poll.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// What a stream answers: an item; none: it has ended; or pending.
template <class T>
using PollNext = Poll<std::optional<T>>;

template <class P>
inline constexpr bool is_poll_next = false;
template <class T>
inline constexpr bool is_poll_next<PollNext<T>> = true;

template <class S>
concept Stream = requires(S& stream, Context& context) { requires is_poll_next<decltype(stream.poll_next(context))>; };

/// What a stream consists of.
template <class S>
  requires Stream<std::remove_reference_t<S>>
using StreamItem = typename decltype(std::declval<S&>().poll_next(std::declval<Context&>()))::value_type::value_type;

/// Asks `stream` for an item, and takes a unit of the task's budget for it: for loops that would go round for ever with
/// a stream that is always ready.
template <Stream S>
PollNext<StreamItem<S>> poll_within_budget(S& stream, Context& context) {
  if (!budget::take(context)) return pending;
  auto item = stream.poll_next(context);
  if (item.is_pending()) budget::give_back();
  return item;
}

}  // namespace skua
