// collect(), try_collect(): all items in a container.
//
//   std::vector<User> found = co_await (users | stream::filter(is_active) | stream::collect());
//   std::set<int> different = co_await (numbers | stream::collect<std::set<int>>());
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace skua::stream {

template <class S, class Container>
class [[nodiscard]] Collect {
 public:
  explicit Collect(S&& source) : source_(std::forward<S>(source)) {}

  Poll<Container> poll(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return std::move(items_);
      items_.insert(items_.end(), *std::move(item.value()));
    }
  }

 private:
  S source_;
  Container items_;
};

template <class S, class Container>
class [[nodiscard]] TryCollect {
  static_assert(is_result<StreamItem<S>>, "try_collect() takes a stream of Results");
  using Error = typename StreamItem<S>::error_type;

 public:
  explicit TryCollect(S&& source) : source_(std::forward<S>(source)) {}

  Poll<Result<Container, Error>> poll(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return Result<Container, Error>(std::move(items_));
      if (!*item.value()) return Result<Container, Error>(std::move(*item.value()).error());
      items_.insert(items_.end(), **std::move(item.value()));
    }
  }

 private:
  S source_;
  Container items_;
};

/// What a container of the items of `S` is, if nothing is said.
template <class Container, class Item>
using ContainerOf = std::conditional_t<std::is_void_v<Container>, std::vector<Item>, Container>;

/// A future of all items, in a std::vector or any container that can insert() at its end(). It grows as long as the
/// stream does: put take() before it where a peer decides. Cancel safety: dropped, it loses what it has; a borrowed
/// stream can be used on.
template <class Container = void>
auto collect() {
  return Adaptor(
      []<class S>(S&& source) { return Collect<S, ContainerOf<Container, StreamItem<S>>>(std::forward<S>(source)); });
}

/// The same of a stream of Result<T>: a future of a Result of the values, or of the first error, with which it ends.
template <class Container = void>
auto try_collect() {
  return Adaptor([]<class S>(S&& source) {
    return TryCollect<S, ContainerOf<Container, typename StreamItem<S>::value_type>>(std::forward<S>(source));
  });
}

}  // namespace skua::stream
