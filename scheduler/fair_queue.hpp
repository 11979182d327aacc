// FairQueue: moodycamel's queue, asked in turn for what its producers have. What InjectQueue stores in. Private.
//
// ConcurrentQueue keeps a queue for each pushing thread, and without a token it asks them in the same order each time,
// the newest first: a worker whose ring overflows again and again would keep the tasks of older threads waiting for
// ever. A consumer token goes on to the next thread's queue after `items_in_a_row` items.
//
// Thread safety: enqueue by any thread; try_dequeue_bulk by one at a time (InjectQueue's lock).
#pragma once

#include <concurrentqueue.h>

#include <cstddef>
#include <cstdint>

namespace skua::scheduler {

template <class T>
class FairQueue {
 public:
  FairQueue() = default;
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  bool enqueue(T* item) { return queue_.enqueue(item); }
  bool enqueue_bulk(T** items, std::size_t count) { return queue_.enqueue_bulk(items, count); }
  std::size_t try_dequeue_bulk(T** room, std::size_t most) { return queue_.try_dequeue_bulk(turn_, room, most); }

 private:
  static constexpr std::uint32_t items_in_a_row = 32;
  struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static const std::uint32_t EXPLICIT_CONSUMER_CONSUMPTION_QUOTA_BEFORE_ROTATE = items_in_a_row;
  };
  moodycamel::ConcurrentQueue<T*, Traits> queue_;
  moodycamel::ConsumerToken turn_{queue_};
};

}  // namespace skua::scheduler
