#include <skua/blocking/blocking_queue.hpp>

#include <utility>

namespace skua {

BlockingQueue::Admission BlockingQueue::submit(Ref<reactor::Operation>& operation) {
  const seam::Lock lock(mutex_);
  if (closed_) return Admission::refused;
  waiting_.push(std::move(operation));
  if (idle_ > 0) {
    --idle_;
    ++calls_;
    called_.notify_one();
    return Admission::queued;
  }
  if (threads_ == most_threads_) return Admission::queued;
  ++threads_;
  return Admission::needs_thread;
}

void BlockingQueue::thread_refused(reactor::OperationList& stranded) {
  const seam::Lock lock(mutex_);
  if (--threads_ == 0) move_all(stranded);
}

Ref<reactor::Operation> BlockingQueue::withdraw(reactor::Operation& operation) {
  const seam::Lock lock(mutex_);
  return waiting_.remove(operation);
}

void BlockingQueue::serve() {
  mutex_.lock();
  do {
    while (Ref<reactor::Operation> operation = waiting_.pop()) {
      ++performing_;
      mutex_.unlock();
      operation->complete(operation->perform());
      operation = nullptr;
      mutex_.lock();
      --performing_;
    }
  } while (!closed_ && wait_for_call());
  --threads_;
  mutex_.unlock();
}

std::size_t BlockingQueue::unfinished() {
  const seam::Lock lock(mutex_);
  return waiting_.size() + performing_;
}

bool BlockingQueue::wait_for_call() {
  const Instant deadline = saturating_add(seam::now(), keep_alive_);
  ++idle_;
  while (calls_ == 0) {
    if (closed_ || seam::now() >= deadline) {
      --idle_;
      return false;
    }
    called_.wait_until(mutex_, deadline);
  }
  --calls_;  // the caller has taken us off the idle count
  return true;
}

void BlockingQueue::close(reactor::OperationList& left) {
  const seam::Lock lock(mutex_);
  closed_ = true;
  move_all(left);
  called_.notify_all();
}

void BlockingQueue::move_all(reactor::OperationList& to) {
  while (Ref<reactor::Operation> operation = waiting_.pop()) to.push(std::move(operation));
}

}  // namespace skua
