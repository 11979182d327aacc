#include <skua/core/assert.hpp>
#include <skua/core/kernel.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace skua::reactor {

namespace {

constinit thread_local Driver* current_driver = nullptr;

constexpr Token make_token(std::uint32_t index, std::uint32_t generation) noexcept {
  return (Token{generation} << 32) | index;
}
constexpr std::uint32_t index_of(Token token) noexcept { return static_cast<std::uint32_t>(token); }
constexpr std::uint32_t generation_of(Token token) noexcept { return static_cast<std::uint32_t>(token >> 32); }
constexpr std::uint32_t last_generation = (~std::uint32_t{0} >> 1) - 1;  // see Token

void wake_all(std::vector<Waker>& wakers) noexcept {
  for (Waker& waker : wakers) std::move(waker).wake();
  wakers.clear();
}

// Without the driver's lock: with SO_LINGER set, closing waits for the peer.
void close_all(std::vector<int>& fds) noexcept {
  for (const int fd : fds) kernel::close(fd);
  fds.clear();
}

// An instant before now may be so far back (min) that the difference would overflow.
Duration time_until(Instant until) noexcept {
  const Instant now = seam::now();
  return until > now ? until - now : Duration::zero();
}

}  // namespace

Driver::Driver(std::unique_ptr<Poller> poller, Ref<Timekeeper> keeper)
    : poller_(std::move(poller)), keeper_(std::move(keeper)), wheel_(now(), keeper_ ? 0 : TimerWheel::tick_shift) {
  if (keeper_) keeper_->add(*this);
}

Driver::~Driver() {
  if (keeper_ && !shut_down_) keeper_->remove(*this);
}

Driver& Driver::current() {
  if (current_driver == nullptr) {
    fail_fast("there is no runtime on this thread: an operation that waits for I/O or time was polled outside of one",
              "Await it in a task, or in Runtime::block_on()");
  }
  return *current_driver;
}

bool Driver::has_current() noexcept { return current_driver != nullptr; }

Driver* Driver::set_current(Driver* driver) noexcept { return std::exchange(current_driver, driver); }

OperationExecutor& Driver::operations() noexcept {
  SKUA_ASSERT(operations_);
  return *operations_;
}

void Driver::park(Instant limit) {
  if (const auto until = begin_sleep(limit)) {
    KnownSleep sleep(keeper_.get());
    if (!sleep.is_over()) poller_->wait(until == Instant::max() ? std::nullopt : std::optional(time_until(*until)));
    sleep.end(token_);
  }
  look();
}

std::optional<Instant> Driver::begin_sleep(Instant limit) {
  Instant until = limit;
  {
    const seam::Lock lock(mutex_);
    if (!poller_->flush()) until = std::min(until, seam::now() + submit_again_after);
    until = std::min(until, end_of_sleep());
    sleep_until_ = until;
  }
  return token_.begin_sleep() ? std::optional(until) : std::nullopt;
}

Result<void> Driver::take_over() {
  std::vector<int> released;
  {
    const seam::Lock lock(mutex_);
    const Result<bool> taken = poller_->take_over();
    if (!taken) return taken.error();
    if (!*taken) return {};
    for (std::uint32_t index = 0; index < slots_.size(); ++index) {
      Slot& slot = slots_[index];
      if (slot.closing) {  // the last event went with the old owner
        if (slot.fd >= 0) released.push_back(slot.fd);
        free_slot(index);
      } else if (slot.watched) {
        poller_->arm(slot.fd, make_token(index, slot.generation));
      }
    }
  }
  close_all(released);
  return {};
}

Instant Driver::end_of_sleep() {
  const Instant deadline = wheel_.next_deadline().value_or(Instant::max());
  return keeper_ ? saturating_add(seam::now(), keeper_->real_time_until(deadline)) : deadline;
}

bool Driver::is_before_end_of_sleep(Instant deadline) const {
  if (keeper_ && is_asleep()) deadline = saturating_add(seam::now(), keeper_->real_time_until(deadline));
  return deadline < sleep_until_;
}

Instant Driver::first_deadline() {
  const seam::Lock lock(mutex_);
  return wheel_.first_deadline().value_or(Instant::max());
}

void Driver::look(std::size_t most_events) {
  thread_local std::vector<Waker> woken;
  thread_local std::vector<int> released;
  for (bool more = true; more;) {
    {
      const seam::Lock lock(mutex_);
      sleep_until_ = Instant::min();
      more = fire_timers(woken);
      poller_->flush();
      woken_ = &woken;
      poller_->reap(*this, most_events);
      woken_ = nullptr;
      std::swap(released, released_);
    }
    close_all(released);
    wake_all(woken);
  }
}

bool Driver::harvest() {
  std::vector<Waker> woken;
  bool has_woken = false;
  bool more_timers = true;
  bool is_counted = false;
  for (std::size_t slot = 0, slots = 1; more_timers || slot < slots;) {
    {
      const seam::Lock lock(mutex_);
      if (!std::exchange(is_counted, true)) ++counted_.harvests;
      more_timers = fire_timers(woken);
      slots = slots_.size();
      slot = scan(slot, woken);
    }
    has_woken = has_woken || !woken.empty();
    wake_all(woken);
  }
  return has_woken;
}

bool Driver::fire_timers(std::vector<Waker>& woken) {
  if (wheel_.size() == 0) return false;
  const std::size_t armed = wheel_.size();
  const bool more = wheel_.advance(now(), woken, wakers_a_round);
  counted_.timers_fired += armed - wheel_.size();
  return more;
}

std::size_t Driver::scan(std::size_t first, std::vector<Waker>& woken) {
  std::array<pollfd, descriptors_a_scan> asked;
  std::array<IoSource*, descriptors_a_scan> sources;  // alive as long as we hold the lock
  std::size_t count = 0;
  std::size_t slot = first;
  for (; slot < slots_.size() && count < asked.size(); ++slot) {
    IoSource* source = slots_[slot].source;
    const short events = source == nullptr ? short{0} : source->awaited_events();
    if (events == 0) continue;
    asked[count] = {.fd = slots_[slot].fd, .events = events, .revents = 0};
    sources[count++] = source;
  }
  if (count != 0 && kernel::poll_now(asked.data(), count) > 0) {
    for (std::size_t i = 0; i < count; ++i) {
      if (asked[i].revents != 0) sources[i]->on_event(static_cast<std::uint32_t>(asked[i].revents), woken);
    }
  }
  return slot;
}

void Driver::wake() noexcept {
  if (keeper_) keeper_->begin();
  if (token_.wake()) {
    poller_->signal();
  } else if (keeper_) {
    keeper_->release();
  }
}

Driver::Slot* Driver::find(Token token) {
  const std::uint32_t index = index_of(token);
  if (index >= slots_.size() || slots_[index].generation != generation_of(token)) return nullptr;
  return &slots_[index];
}

// Called by the poller's reap(), in turn(), which holds the lock.
void Driver::on_event(const PollEvent& event) SKUA_THREAD_ANNOTATION(no_thread_safety_analysis) {
  Slot* slot = find(event.token);
  if (slot == nullptr) return;
  if (event.mask != 0) ++counted_.events;
  // A read stops at TCP's urgent mark even if bytes follow it. Before the event: who read short before clears nothing.
  if (slot->source != nullptr && event.is_exact && (event.mask & EPOLLPRI) != 0) slot->source->expect_short_reads();
  if (slot->source != nullptr && event.error == 0) slot->source->on_event(event.mask, *woken_);
  if (!event.last) return;
  if (slot->closing) {
    if (slot->fd >= 0) released_.push_back(slot->fd);
    free_slot(index_of(event.token));
  } else if (event.error == 0 && (event.mask & EPOLLHUP) == 0) {
    poller_->arm(slot->fd, event.token);  // the kernel ended it; nothing is lost: it reports the present state first
  } else {
    // Not before somebody waits: what has hung up would end each watch at once.
    slot->watched = false;
    if (slot->source != nullptr) slot->source->on_watch_ended(event.error, *woken_);
  }
}

// As on_event(). Each watch is ended, and then begins again, with the present state, or its descriptor is closed.
void Driver::on_loss() SKUA_THREAD_ANNOTATION(no_thread_safety_analysis) {
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    const Slot& slot = slots_[index];
    if (slot.watched) poller_->disarm(slot.fd, make_token(index, slot.generation));
  }
}

void Driver::free_slot(std::uint32_t index) {
  Slot& slot = slots_[index];
  const std::uint32_t generation = slot.generation == last_generation ? 0 : slot.generation + 1;
  ++counted_.sources_removed;
  slot = Slot{.source = nullptr, .fd = -1, .generation = generation, .watched = false, .closing = false};
  free_slots_.push_back(index);
}

Result<Token> Driver::register_source(IoSource& source) {
  bool wake_owner = false;
  Token token = 0;
  {
    const seam::Lock lock(mutex_);
    if (shut_down_) return Error(std::errc::operation_canceled, "register with a runtime that has been shut down");
    if (free_slots_.empty()) {
      free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t index = free_slots_.back();
    token = make_token(index, slots_[index].generation);
    if (const int error = poller_->arm(source.fd(), token)) {
      return system_error(error, "watch the descriptor");
    }
    free_slots_.pop_back();
    slots_[index].source = &source;
    slots_[index].fd = source.fd();
    slots_[index].watched = true;
    ++counted_.sources_added;
    wake_owner = is_asleep();
  }
  if (wake_owner) wake();  // to flush; an owner that is awake does it before it sleeps
  return token;
}

void Driver::watch_again(Token token) {
  bool wake_owner = false;
  {
    const seam::Lock lock(mutex_);
    Slot* const slot = shut_down_ ? nullptr : find(token);
    if (slot == nullptr || slot->watched) return;
    poller_->arm(slot->fd, token);  // if it fails again, an event will say so
    slot->watched = true;
    wake_owner = is_asleep();
  }
  if (wake_owner) wake();  // to flush; an owner that is awake does it before it sleeps
}

void Driver::deregister(Token token, int fd, Close close) {
  bool wake_owner = false;
  bool done = true;
  {
    const seam::Lock lock(mutex_);
    if (Slot* slot = shut_down_ ? nullptr : find(token)) {
      slot->source = nullptr;
      slot->closing = true;
      if (close == Close::no) slot->fd = -1;
      done = !slot->watched || poller_->disarm(fd, token);
      if (done) free_slot(index_of(token));
      wake_owner = !done && is_asleep();
    }
  }
  if (done && close == Close::yes) kernel::close(fd);
  if (wake_owner) wake();  // to flush; an owner that is awake does it before it sleeps
}

void Driver::arm_timer(TimerEntry& entry, Instant deadline, const Waker& waker) {
  bool wake_owner = false;
  std::vector<Waker> woken;
  {
    const seam::Lock lock(mutex_);
    wheel_.insert(entry, deadline, waker);
    ++counted_.timers_armed;
    if (shut_down_) wheel_.fire_all(woken);  // nobody turns the driver any more
    wake_owner = is_before_end_of_sleep(deadline);
  }
  if (wake_owner) wake();
  wake_all(woken);
}

bool Driver::replace_timer_waker(TimerEntry& entry, const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (!entry.is_armed()) return false;
  if (!entry.waker_.will_wake(waker)) old = std::exchange(entry.waker_, waker);
  return true;
}

bool Driver::move_timer(TimerEntry& entry, Instant deadline) {
  const bool is_due = deadline <= now();
  bool wake_owner = false;
  Waker woken;
  {
    const seam::Lock lock(mutex_);
    if (!entry.is_armed()) return false;
    wheel_.remove(entry);
    ++(is_due ? counted_.timers_fired : counted_.timers_cancelled);
    if (is_due) {
      woken = std::move(entry.waker_);
    } else {
      wheel_.insert(entry, deadline, std::move(entry.waker_));
      ++counted_.timers_armed;
      wake_owner = is_before_end_of_sleep(deadline);
    }
  }
  if (wake_owner) wake();
  std::move(woken).wake();
  return !is_due;
}

void Driver::cancel_timer(TimerEntry& entry) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (entry.is_armed()) ++counted_.timers_cancelled;
  wheel_.remove(entry);
  old = std::move(entry.waker_);
}

void Driver::shutdown() {
  if (keeper_) keeper_->remove(*this);
  std::vector<Waker> woken;
  std::vector<int> released;
  {
    const seam::Lock lock(mutex_);
    shut_down_ = true;
    wheel_.fire_all(woken);
    for (std::uint32_t index = 0; index < slots_.size(); ++index) {
      // Not touched again: from now on a source closes its descriptor without a word to its slot.
      if (IoSource* source = std::exchange(slots_[index].source, nullptr)) source->on_shutdown(woken);
      if (slots_[index].closing && slots_[index].fd >= 0) released.push_back(slots_[index].fd);
    }
    slots_.clear();
    free_slots_.clear();
  }
  close_all(released);
  wake_all(woken);
}

DriverMetrics Driver::metrics() {
  DriverMetrics metrics;
  {
    const seam::Lock lock(mutex_);
    metrics = counted_;
    metrics.timers = wheel_.size();
    metrics.sources = slots_.size() - free_slots_.size();
  }
  metrics.poller = poller_->metrics();
  return metrics;
}

std::size_t Driver::armed_timers() {
  const seam::Lock lock(mutex_);
  return wheel_.size();
}

std::size_t Driver::registered_sources() {
  const seam::Lock lock(mutex_);
  return slots_.size() - free_slots_.size();
}

}  // namespace skua::reactor
