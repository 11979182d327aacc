// Streams polled by hand.
#pragma once

#include <skua/stream/collect.hpp>
#include <skua/stream/stream.hpp>

#include "probe.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace skua::tests {

/// All items of a stream that is ready as far as it goes.
template <class S>
std::vector<StreamItem<S>> all_of(S stream) {
  CountedContext context;
  auto all = std::move(stream) | stream::collect();
  return all.poll(context).take();
}

/// One poll: an item; none: pending, or the end.
template <class S>
auto item_of(S& stream, CountedContext& context) {
  auto item = stream.poll_next(context);
  return item.is_ready() ? std::move(item).take() : std::nullopt;
}
template <class S>
bool is_pending(S& stream, CountedContext& context) {
  return stream.poll_next(context).is_pending();
}
template <class S>
bool has_ended(S& stream, CountedContext& context) {
  auto item = stream.poll_next(context);
  return item.is_ready() && !item.value();
}

}  // namespace skua::tests
