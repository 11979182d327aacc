// BlockingPool: a bounded number of threads for calls that wait: files where there is no io_uring, name resolution, a
// user's own (unblock()). Private.
//
// Threads are started when they are needed and end when they have been idle for a while. A call that has begun cannot
// be cancelled: shutdown() waits for it. The queue is as long as the number of futures that wait for it: a future that
// is dropped takes its operation out.
#pragma once

#include <skua/blocking/blocking_queue.hpp>
#include <skua/core/thread.hpp>

#include <functional>
#include <list>

namespace skua {

class BlockingPool final : public reactor::OperationExecutor {
 public:
  /// `enter` is called first on each thread, and `leave` last.
  BlockingPool(std::uint32_t most_threads, Duration keep_alive, std::function<void()> enter,
               std::function<void()> leave = {})
      : queue_(most_threads, keep_alive), enter_(std::move(enter)), leave_(std::move(leave)) {}

  reactor::OperationExecutor& submit(Ref<reactor::Operation> operation) noexcept override;
  void cancel(reactor::Operation& operation) noexcept override;
  void shutdown() override;
  /// Other limits from now on; threads that are too many end when they have done what they are at. Any thread.
  void set_limits(std::uint32_t most_threads, Duration keep_alive);
  std::size_t unfinished() noexcept override { return queue_.unfinished(); }
  BlockingMetrics metrics() { return queue_.metrics(); }

 private:
  using Threads = std::list<seam::Thread>;
  /// As the queue has asked for.
  void add_thread() noexcept;
  /// False: the system has no thread, or no memory, left.
  bool start_thread() noexcept;
  void run(Threads::iterator self);

  BlockingQueue queue_;
  const std::function<void()> enter_;
  const std::function<void()> leave_;
  seam::Mutex mutex_;
  Threads threads_ SKUA_GUARDED_BY(mutex_);
  Threads ended_ SKUA_GUARDED_BY(mutex_);              // to be joined: one at most, see run()
  bool is_shut_down_ SKUA_GUARDED_BY(mutex_) = false;  // from then on shutdown() has the threads
};

}  // namespace skua
