// chunks(n): the items in vectors of `n`.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace skua::stream {

template <class S>
class [[nodiscard]] Chunks {
 public:
  using Item = std::vector<StreamItem<S>>;

  Chunks(S&& source, std::size_t size) : source_(std::forward<S>(source)), size_(size) {
    if (size == 0) fail_fast("chunks() was given a size of 0", "Give it at least 1");
  }

  PollNext<Item> poll_next(Context& context) {
    while (!has_ended_) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (item.value()) {
        begun_.push_back(*std::move(item.value()));
        if (begun_.size() == size_) return PollNext<Item>(take_begun());
      } else {
        has_ended_ = true;
      }
    }
    if (begun_.empty()) return PollNext<Item>(std::nullopt);
    return PollNext<Item>(take_begun());
  }

  /// The items of the chunk that is not full yet.
  const Item& begun() const noexcept { return begun_; }
  /// Ends that chunk early.
  Item take_begun() { return std::exchange(begun_, Item()); }

 private:
  S source_;
  std::size_t size_;
  Item begun_;
  bool has_ended_ = false;
};

/// Vectors of `size` items; the last one may be shorter, and none is empty. Cancel safety: no item is lost; those of
/// the chunk that is begun wait in the stream.
inline auto chunks(std::size_t size) {
  return Adaptor([]<class S>(S&& source, std::size_t given) { return Chunks<S>(std::forward<S>(source), given); },
                 size);
}

}  // namespace skua::stream
