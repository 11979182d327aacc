// Chain: a row of coroutines, each awaiting the next, polled as one future.
//
// A task is a root coroutine that awaits a second, which awaits a third, and so on; the innermost awaits a
// leaf future. All of them share the one Chain that lies in front of the root's frame. Polling the chain polls
// the leaf and nothing else: O(1) in the depth. Only when the leaf is ready does the innermost coroutine resume.
//
//     root ──awaits──> child ──awaits──> innermost ──awaits──> leaf (a future, in innermost's frame)
//       └──────────────── Chain {leaf, innermost} ───────────────┘
//
// advance() is a trampoline: a coroutine that awaits another, or ends, says who goes next in `innermost_` and
// returns to the loop. The stack is flat whatever the compiler does: g++ 12 makes symmetric transfer a tail
// call only at -O2 and without sanitizers, and otherwise overflows the stack after some 10^5 awaits. clang
// always does, so there the coroutines transfer directly and the loop is rarely entered; the choice is a
// template argument of the awaiters (await.hpp), so objects of both compilers may be linked together.
//
// Threads: a chain is used by one thread at a time, the one that polls it.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/frame_allocator.hpp>

#include <coroutine>
#include <new>
#include <source_location>
#include <type_traits>

namespace skua {

class Chain;

/// What all coroutines of a chain have in common; the base of Task's promises.
class ChainLink {
 public:
  using Handle = std::coroutine_handle<ChainLink>;

  Chain& chain() const noexcept { return *chain_; }
  bool has_started() const noexcept { return chain_ != nullptr; }
  /// The coroutine that awaits this one; null at the root.
  Handle parent() const noexcept { return parent_; }
  /// Where the coroutine's last `co_await` stands: while it is suspended, where it waits.
  const std::source_location& awaiting_at() const noexcept { return awaiting_at_; }

  void start(Chain& chain, Handle parent) noexcept {
    chain_ = &chain;
    parent_ = parent;
  }
  void note_await(const std::source_location& at) noexcept { awaiting_at_ = at; }

 private:
  Chain* chain_ = nullptr;
  Handle parent_{};
  std::source_location awaiting_at_{};
};

class Chain {
 public:
  using PollLeaf = bool (*)(void* leaf, Context& context);

  /// The chain in front of the frame of `root`, made anew. `root` has not been resumed yet.
  static Chain& begin(std::coroutine_handle<> root, ChainLink& link) noexcept {
    Chain* chain = ::new (address_of(root)) Chain(handle_cast(root));
    link.start(*chain, nullptr);
    return *chain;
  }
  /// The chain that begin() made.
  static Chain& of(std::coroutine_handle<> root) noexcept {
    return *std::launder(static_cast<Chain*>(address_of(root)));
  }

  /// Runs the chain until it waits for a leaf that is not ready, or its root has ended.
  void advance(Context& context) {
    context_ = &context;
    if (leaf_ != nullptr) {
      if (!poll_leaf_(leaf_, context)) return;
      leaf_ = nullptr;
    }
    while (leaf_ == nullptr && innermost_) innermost_.resume();
  }

  /// The context of the poll that is going on.
  Context& context() const noexcept { return *context_; }

  /// `innermost` is about to suspend until `leaf` is ready; `poll_leaf` polls it and says whether it is.
  void wait_for(ChainLink::Handle innermost, void* leaf, PollLeaf poll_leaf) noexcept {
    innermost_ = innermost;
    leaf_ = leaf;
    poll_leaf_ = poll_leaf;
  }
  /// `next` goes on: a child that is awaited, or the parent of a coroutine that ended (null: the root ended).
  void go_on_with(ChainLink::Handle next) noexcept { innermost_ = next; }

  /// The coroutine that waits for the leaf. From it the parents lead to the root: the asynchronous stack.
  ChainLink::Handle innermost() const noexcept { return innermost_; }

  template <class Promise>
  static ChainLink::Handle handle_of(std::coroutine_handle<Promise> handle) noexcept {
    static_assert(std::is_base_of_v<ChainLink, Promise>);
    return handle_cast(handle);
  }

 private:
  explicit Chain(ChainLink::Handle root) noexcept : innermost_(root) {}

  // The promise lies at the same place for every promise type of ordinary alignment (task.hpp asserts that),
  // and ChainLink is its first base: so one handle type serves all.
  static ChainLink::Handle handle_cast(std::coroutine_handle<> handle) noexcept {
    return ChainLink::Handle::from_address(handle.address());
  }
  static void* address_of(std::coroutine_handle<> root) noexcept {
    return static_cast<std::byte*>(root.address()) - sizeof(Chain);
  }

  void* leaf_ = nullptr;
  PollLeaf poll_leaf_ = nullptr;
  ChainLink::Handle innermost_;
  Context* context_ = nullptr;
};

static_assert(sizeof(Chain) + frames::scheduler_room == frames::prefix_size);
static_assert(std::is_trivially_destructible_v<Chain>, "a frame's memory is released without a word to its chain");

/// How one coroutine hands over to another. See the head of this file.
enum class Transfer { symmetric, trampoline };
#if defined(__clang__)
inline constexpr Transfer transfer = Transfer::symmetric;
#else
inline constexpr Transfer transfer = Transfer::trampoline;
#endif

/// What an await_suspend() returns so that `next` (null: nobody) runs: now, or when the trampoline sees it.
template <Transfer How>
auto transfer_to([[maybe_unused]] ChainLink::Handle next) noexcept {
  if constexpr (How == Transfer::symmetric) {
    return next ? std::coroutine_handle<>(next) : std::noop_coroutine();
  }
}

}  // namespace skua
