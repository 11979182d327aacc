#include <skua/reactor_thread.hpp>

namespace skua {

void ReactorThread::start() {
  thread_ = seam::Thread("skua-reactor", [this] { run(); });
}

void ReactorThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_relaxed);  // relaxed: the wake that follows publishes it
  driver_->wake();
  thread_.join();
}

void ReactorThread::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {  // relaxed: park() acquires what the waker did
    driver_->park(monitor_.next_tick());
    monitor_.tick(seam::now());
  }
}

}  // namespace skua
