#include <skua/blocking/blocking_pool.hpp>

#include <cerrno>
#include <exception>
#include <utility>

namespace skua {

namespace {

void complete_all(reactor::OperationList& operations, int result) noexcept {
  while (const Ref<reactor::Operation> operation = operations.pop()) operation->complete(result);
}

void join_all(std::list<seam::Thread>& threads) {
  for (seam::Thread& thread : threads) thread.join();
  threads.clear();
}

}  // namespace

reactor::OperationExecutor& BlockingPool::submit(Ref<reactor::Operation> operation) noexcept {
  const BlockingQueue::Admission admission = queue_.submit(operation);
  if (admission == BlockingQueue::Admission::refused) {
    operation->complete(-ECANCELED);
  } else if (admission == BlockingQueue::Admission::needs_thread) {
    add_thread();
  }
  return *this;
}

void BlockingPool::add_thread() noexcept {
  if (start_thread()) return;
  reactor::OperationList stranded;
  queue_.thread_refused(stranded);
  complete_all(stranded, -EAGAIN);
}

void BlockingPool::set_limits(std::uint32_t most_threads, Duration keep_alive) {
  for (auto missing = queue_.set_limits(most_threads, keep_alive); missing > 0; --missing) add_thread();
}

void BlockingPool::cancel(reactor::Operation& operation) noexcept {
  if (const Ref<reactor::Operation> withdrawn = queue_.withdraw(operation)) withdrawn->complete(-ECANCELED);
}

bool BlockingPool::start_thread() noexcept {
  const seam::Lock lock(mutex_);
  if (is_shut_down_) return false;
  try {
    Threads started(1);
    const auto place = started.begin();
    *place = seam::Thread("skua-blocking", [this, place] { run(place); });
    threads_.splice(threads_.end(), started);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void BlockingPool::run(Threads::iterator self) {
  enter_();
  queue_.serve();
  if (leave_) leave_();
  Threads before;
  {
    const seam::Lock lock(mutex_);
    if (is_shut_down_) return;
    std::swap(before, ended_);
    ended_.splice(ended_.end(), threads_, self);
  }
  join_all(before);  // a thread cannot join itself: the next one to end, or shutdown(), does
}

void BlockingPool::shutdown() {
  reactor::OperationList left;
  queue_.close(left);
  complete_all(left, -ECANCELED);
  Threads all;
  {
    const seam::Lock lock(mutex_);
    is_shut_down_ = true;
    all.splice(all.end(), threads_);
    all.splice(all.end(), ended_);
  }
  join_all(all);
}

}  // namespace skua
