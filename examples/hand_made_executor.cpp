// An executor, a spawner and a task in one page, over a channel: no Runtime, only futures and wakers.
#include "timer_future.hpp"

#include <skua/core/task.hpp>
#include <skua/core/wake.hpp>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <vector>

/// A queue whose reader sleeps until there is something, or nobody is left who could send.
template <class T>
class Channel {
 public:
  void send(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_one();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  std::optional<T> receive() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

// docs:begin hand_made_executor
struct ReadyTask;
using Queue = Channel<std::shared_ptr<ReadyTask>>;
using Sender = std::shared_ptr<Queue>;  // the channel closes with the last one

struct ReadyTask : std::enable_shared_from_this<ReadyTask> {
  ReadyTask(skua::Task<> task, Sender sender) : future(std::move(task)), queue(std::move(sender)) {}
  void wake() noexcept { queue->send(shared_from_this()); }  // called by the waker, on any thread

  skua::Task<> future;    // this and the next: touched by the executor's thread alone
  bool finished = false;  // a task that was woken twice is in the queue twice
  const Sender queue;
};

class Spawner {
 public:
  explicit Spawner(std::shared_ptr<Queue> queue) : sender_(queue.get(), [queue](Queue*) { queue->close(); }) {}
  void spawn(skua::Task<> task) const { std::make_shared<ReadyTask>(std::move(task), sender_)->wake(); }

 private:
  Sender sender_;
};

/// Polls what is in the queue, until the spawner and all tasks are gone.
void run(Queue& queue) {
  while (const auto received = queue.receive()) {
    ReadyTask& task = **received;
    const skua::Waker waker = skua::make_waker(*received);
    skua::Context context(waker);
    // Pending: the future keeps a copy of the waker, and the waker keeps the task. Ready: the last waker frees it.
    if (!task.finished) task.finished = task.future.poll(context).is_ready();
  }
}
// docs:end

skua::Task<> wait_and_log(std::vector<std::string>& log, std::string name, std::chrono::milliseconds delay) {
  const int polls = co_await TimerFuture(delay);
  log.push_back(name + " after " + std::to_string(polls) + " polls");
}

skua::Task<> write_message(std::vector<std::string>& log) { co_return log.push_back("a message"); }

int main() {
  std::vector<std::string> log;
  const auto queue = std::make_shared<Queue>();
  std::optional<Spawner> spawner(queue);
  spawner->spawn(wait_and_log(log, "slow", std::chrono::milliseconds(400)));
  spawner->spawn(wait_and_log(log, "fast", std::chrono::milliseconds(20)));
  spawner->spawn(write_message(log));
  spawner.reset();  // no more tasks: run() returns when these have ended
  run(*queue);
  for (const std::string& line : log) std::puts(line.c_str());
  return log == std::vector<std::string>{"a message", "fast after 2 polls", "slow after 2 polls"} ? 0 : 1;
}
