// The Future concept: any type with `Poll<T> poll(Context&)`.
//
// The contract of poll():
//  - It does not block. It returns the value, or `pending` after it has made sure that the waker of *this*
//    call's context is woken when another poll is worth while; wakers of earlier polls may be forgotten.
//  - It may be called when nothing has changed (a spurious poll), and not again after it returned a value.
//  - From the first poll on the future stays where it is in memory until it is destroyed.
//  - Destroying it cancels it, at any time between two polls, on the thread that polled it last or any other.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/poll.hpp>

#include <concepts>
#include <type_traits>

namespace skua {

template <class F>
concept Future = requires(F& future, Context& context) {
  typename std::remove_reference_t<decltype(future.poll(context))>::value_type;
  requires std::same_as<decltype(future.poll(context)),
                        Poll<typename std::remove_reference_t<decltype(future.poll(context))>::value_type>>;
};

/// What a future is ready with.
template <class F>
  requires Future<std::remove_reference_t<F>>
using Output = typename decltype(std::declval<F&>().poll(std::declval<Context&>()))::value_type;

}  // namespace skua
