#include <skua/blocking/blocking_queue.hpp>

#include <algorithm>
#include <utility>

namespace skua {

BlockingQueue::Admission BlockingQueue::submit(Ref<reactor::Operation>& operation) {
  const seam::Lock lock(mutex_);
  if (closed_) {
    ++counted_.refused;
    return Admission::refused;
  }
  waiting_.push(std::move(operation));
  if (idle_ > 0) {
    call_thread();
    return Admission::queued;
  }
  if (threads_ >= most_threads_) return Admission::queued;
  ++threads_;
  return Admission::needs_thread;
}

void BlockingQueue::thread_refused(reactor::OperationList& stranded) {
  const seam::Lock lock(mutex_);
  if (--threads_ != 0) return;
  move_all(stranded);
  counted_.refused += stranded.size();
}

Ref<reactor::Operation> BlockingQueue::withdraw(reactor::Operation& operation) {
  const seam::Lock lock(mutex_);
  Ref<reactor::Operation> withdrawn = waiting_.remove(operation);
  if (withdrawn) ++counted_.withdrawn;
  return withdrawn;
}

void BlockingQueue::serve() {
  mutex_.lock();
  ++counted_.threads_started;
  while (Ref<reactor::Operation> operation = next()) {
    ++performing_;
    mutex_.unlock();
    operation->complete(operation->perform());
    operation = nullptr;
    mutex_.lock();
    --performing_;
    ++counted_.calls;
  }
  --threads_;
  mutex_.unlock();
}

Ref<reactor::Operation> BlockingQueue::next() {
  do {
    if (threads_ > most_threads_) {
      if (!waiting_.is_empty() && idle_ > 0) call_thread();
      return {};
    }
    if (Ref<reactor::Operation> operation = waiting_.pop()) return operation;
  } while (!closed_ && wait_for_call());
  return {};
}

std::uint32_t BlockingQueue::set_limits(std::uint32_t most_threads, Duration keep_alive) {
  const seam::Lock lock(mutex_);
  most_threads_ = most_threads;
  keep_alive_ = keep_alive;
  called_.notify_all();  // those that are idle look at the limits
  if (threads_ >= most_threads_) return 0;
  const auto missing = std::min(most_threads_ - threads_, static_cast<std::uint32_t>(waiting_.size()));
  threads_ += missing;
  return missing;
}

std::size_t BlockingQueue::unfinished() {
  const seam::Lock lock(mutex_);
  return waiting_.size() + performing_;
}

BlockingMetrics BlockingQueue::metrics() {
  const seam::Lock lock(mutex_);
  BlockingMetrics metrics = counted_;
  metrics.threads = threads_;
  metrics.idle_threads = idle_;
  metrics.queue_depth = waiting_.size();
  return metrics;
}

bool BlockingQueue::wait_for_call() {
  const Instant since = seam::now();
  ++idle_;
  while (calls_ == 0) {
    const Instant deadline = saturating_add(since, keep_alive_);
    if (closed_ || threads_ > most_threads_ || seam::now() >= deadline) {
      --idle_;
      return false;
    }
    called_.wait_until(mutex_, deadline);
  }
  --calls_;  // the caller has taken us off the idle count
  return true;
}

void BlockingQueue::call_thread() {
  --idle_;
  ++calls_;
  called_.notify_one();
}

void BlockingQueue::close(reactor::OperationList& left) {
  const seam::Lock lock(mutex_);
  closed_ = true;
  move_all(left);
  counted_.refused += left.size();
  called_.notify_all();
}

void BlockingQueue::move_all(reactor::OperationList& to) {
  while (Ref<reactor::Operation> operation = waiting_.pop()) to.push(std::move(operation));
}

}  // namespace skua
