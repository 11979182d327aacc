// Adaptor: what stands on the right of `stream | map(f)`.
//
// An adaptor keeps its arguments until it is given a stream, and then makes another stream of it, or a future of what
// becomes of its items. A stream given as a temporary or by std::move() is moved into what is made; one given as an
// lvalue is borrowed, and can be used on when that is gone. (So a stage must be moved before it is first polled, as
// every stream and future.) Two adaptors make one: `auto names = filter(is_active) | map(name_of)`.
#pragma once

#include <skua/stream/stream.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace skua::stream {

/// `Make` is called with the stream and the arguments.
template <class Make, class... Args>
class [[nodiscard]] Adaptor {
 public:
  explicit Adaptor(Make make, Args... args) : make_(std::move(make)), args_(std::move(args)...) {}

  template <class S>
  auto apply(S&& source) && {
    return std::apply([&](Args&... args) { return make_(std::forward<S>(source), std::move(args)...); }, args_);
  }

 private:
  [[no_unique_address]] Make make_;
  std::tuple<Args...> args_;
};

/// The one adaptor that does what `first` does and then what `second` does.
template <class First, class Second>
class [[nodiscard]] Composed {
 public:
  Composed(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}
  template <class S>
  auto apply(S&& source) && {
    return std::move(second_).apply(std::move(first_).apply(std::forward<S>(source)));
  }

 private:
  First first_;
  Second second_;
};

template <class A>
inline constexpr bool is_adaptor = false;
template <class Make, class... Args>
inline constexpr bool is_adaptor<Adaptor<Make, Args...>> = true;
template <class First, class Second>
inline constexpr bool is_adaptor<Composed<First, Second>> = true;

template <class S, class A>
  requires(Stream<std::remove_reference_t<S>> && is_adaptor<A>)
auto operator|(S&& source, A adaptor) {
  return std::move(adaptor).apply(std::forward<S>(source));
}

template <class First, class Second>
  requires(is_adaptor<First> && is_adaptor<Second>)
Composed<First, Second> operator|(First first, Second second) {
  return Composed<First, Second>(std::move(first), std::move(second));
}

}  // namespace skua::stream
