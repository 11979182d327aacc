#include <skua/core/kernel.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>

#include <utility>

namespace skua::reactor {

// relaxed: under the lock that it is changed under
bool IoSource::is_linked(const Waiter& waiter) const noexcept { return waiter.linked_.load(std::memory_order_relaxed); }

IoSource::IoSource(int fd) noexcept : fd_(fd) {}

IoSource::~IoSource() {
  if (fd_ < 0) return;
  if (driver_) {
    driver_->deregister(token_, fd_);
  } else {
    kernel::close(fd_);
  }
}

int IoSource::release() {
  SKUA_ASSERT(awaited_events() == 0);
  if (driver_) driver_->deregister(token_, fd_, Driver::Close::no);
  return std::exchange(fd_, -1);
}

Result<bool> IoSource::wait_ready(Direction direction, Waiter& waiter, const Waker& waker) {
  if (Result<void> registered = ensure_registered(); !registered) return std::move(registered).error();
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(waiters_mutex_);
  while (is_unwatched_) {
    if (watch_error_ != 0) return system_error(std::exchange(watch_error_, 0), "watch the descriptor");
    is_unwatched_ = false;
    waiters_mutex_.unlock();  // the driver's lock comes before
    driver_->watch_again(token_);
    waiters_mutex_.lock();
  }
  // Events are noted before their waiters are collected under this lock: an event that we do not see here will see us.
  if (Readiness::is_ready(snapshot(direction))) return true;
  waiter.direction_ = direction;
  if (!waiter.waker_.will_wake(waker)) old = std::exchange(waiter.waker_, waker);
  if (!is_linked(waiter)) {
    waiter.previous_ = nullptr;
    waiter.next_ = waiters_;
    if (waiters_ != nullptr) waiters_->previous_ = &waiter;
    waiters_ = &waiter;
    waiter.linked_.store(true, std::memory_order_relaxed);  // relaxed: read by the future, which is us
  }
  return false;
}

Result<void> IoSource::ensure_registered() {
  // [IO1] acquire: driver_ and token_ are there; pairs with [IO2].
  if (registered_.load(std::memory_order_acquire)) return {};
  const seam::Lock lock(registration_mutex_);
  if (driver_) return {};
  Driver& driver = Driver::current();
  Result<Token> token = driver.register_source(*this);
  if (!token) return std::move(token).error();
  token_ = *token;
  driver_ = Ref<Driver>::share(&driver);
  registered_.store(true, std::memory_order_release);  // [IO2] release: pairs with [IO1]
  return {};
}

void IoSource::on_event(std::uint32_t mask, std::vector<Waker>& woken) {
  // An error alone ends neither direction: the next operation fetches it.
  const bool hung_up = (mask & EPOLLHUP) != 0;
  const bool either = hung_up || (mask & EPOLLERR) != 0;
  const bool readable = either || (mask & (EPOLLIN | EPOLLRDHUP)) != 0;
  const bool writable = either || (mask & EPOLLOUT) != 0;
  const bool exceptional = either || (mask & EPOLLPRI) != 0;
  if (readable) of(Direction::read).note_event(hung_up || (mask & EPOLLRDHUP) != 0);
  if (writable) of(Direction::write).note_event(hung_up);
  if (exceptional) of(Direction::exceptional).note_event(false);
  const seam::Lock lock(waiters_mutex_);
  if (readable) take_wakers(Direction::read, woken);
  if (writable) take_wakers(Direction::write, woken);
  if (exceptional) take_wakers(Direction::exceptional, woken);
}

void IoSource::on_shutdown(std::vector<Waker>& woken) {
  for (Readiness& readiness : readiness_) readiness.note_shutdown();
  const seam::Lock lock(waiters_mutex_);
  for (const Direction direction : {Direction::read, Direction::write, Direction::exceptional}) {
    take_wakers(direction, woken);
  }
}

void IoSource::on_watch_ended(int error, std::vector<Waker>& woken) {
  const seam::Lock lock(waiters_mutex_);
  is_unwatched_ = true;
  watch_error_ = error;
  for (const Direction direction : {Direction::read, Direction::write, Direction::exceptional}) {
    take_wakers(direction, woken);
  }
}

short IoSource::awaited_events() {
  static constexpr std::array<int, 3> polled_for{POLLIN | POLLRDHUP, POLLOUT, POLLPRI};  // by Direction
  const seam::Lock lock(waiters_mutex_);
  int events = 0;
  for (const Waiter* waiter = waiters_; waiter != nullptr; waiter = waiter->next_) {
    events |= polled_for[static_cast<std::size_t>(waiter->direction_)];
  }
  return static_cast<short>(events);
}

void IoSource::take_wakers(Direction direction, std::vector<Waker>& woken) {
  for (Waiter* waiter = waiters_; waiter != nullptr;) {
    Waiter* const next = waiter->next_;
    if (waiter->direction_ == direction) {
      woken.push_back(std::move(waiter->waker_));
      unlink(*waiter);
    }
    waiter = next;
  }
}

void IoSource::withdraw(Waiter& waiter) {
  const seam::Lock lock(waiters_mutex_);
  if (is_linked(waiter)) unlink(waiter);
}

void IoSource::unlink(Waiter& waiter) {
  if (waiter.next_ != nullptr) waiter.next_->previous_ = waiter.previous_;
  (waiters_ == &waiter ? waiters_ : waiter.previous_->next_) = waiter.next_;
  // [IO4] release: the future may be destroyed now; pairs with [IO3].
  waiter.linked_.store(false, std::memory_order_release);
}

}  // namespace skua::reactor
