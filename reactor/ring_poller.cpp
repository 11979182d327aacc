// RingPoller: readiness by io_uring, one multishot poll request for each descriptor.
//
// The ring runs with DEFER_TASKRUN: the kernel keeps completions back until the owner enters the ring, and posts them
// in one go. (Measured, CPU per echo request, raw loops in C: DEFER 1.00, COOP 1.10, neither 2.8.) The price: only the
// owner may submit and reap, so the ring is enabled by the first thread that flushes, and events for an owner that is
// stuck in user code are found in another way, see Driver::harvest(). A driver that goes to another thread gets a new
// ring.
//
// Requests are queued here and submitted by flush(), so that SQEs are never in short supply.
//
// Normal events: the kernel ends a multishot poll (no F_MORE), then it is armed again, unless it has been disarmed; the
// completion queue overflows, then entering the kernel fetches the rest; the kernel has no memory to keep the rest and
// says that it has dropped some (EBADR). Those are last ones (a poll that finds the queue full ends), so every poll is
// cancelled: an answer that there was none tells of an end that nobody has heard of.
#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/thread.hpp>
#include <skua/reactor/poller.hpp>
#include <skua/reactor/ring.hpp>
#include <skua/reactor/wait_failure.hpp>

#include <liburing.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace skua::reactor {

namespace {

constexpr unsigned most_events_a_reap = 256;
constexpr int most_rounds_to_quieten = 8;
constexpr Token of_cancel = Token{1} << 63;  // set in the user_data of the request that cancels the token's poll
constexpr Token wake_token = of_cancel - 1;
constexpr unsigned interest = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

// A ring whose set-up succeeded may still be of no use: a feature is missing, or a filter refuses one of the other
// calls.
Result<void> check_usable(io_uring& made) {
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
  if ((made.features & needed) != needed) return system_error(ENOSYS, "io_uring_setup");
  // A ring that is not enabled yet answers EBADFD.
  const int entered = ring::fetch(made);
  if (entered < 0 && entered != -EBADFD) return system_error(-entered, "io_uring_enter");
  std::bitset<256> supported;
  if (const int error = ring::probe(made, supported); error < 0) return system_error(-error, "io_uring_register");
  const bool has_all = supported.test(IORING_OP_POLL_ADD) && supported.test(IORING_OP_ASYNC_CANCEL);
  if (!has_all) return system_error(ENOSYS, "io_uring_register");
  return {};
}

// Its owner is whoever enables it.
Result<io_uring> make_ring(const RingSizes& sizes) {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED;
  params.cq_entries = std::max(sizes.completion_entries, sizes.submission_entries);
  io_uring made{};
  if (const int error = ring::set_up(made, sizes.submission_entries, params); error < 0) {
    return system_error(-error, "io_uring_setup");
  }
  if (auto usable = check_usable(made); !usable) {
    ring::tear_down(made);
    return std::move(usable).error();
  }
  return made;
}

class RingPoller final : public Poller {
 public:
  // `ring` has been set up; it is moved in bitwise, as liburing allows.
  RingPoller(const io_uring& ring, const RingSizes& sizes, int wake) : ring_(ring), sizes_(sizes), wake_(wake) {
    arm(wake_, wake_token);
  }
  ~RingPoller() override {
    ring::tear_down(ring_);
    if (native() >= 0) kernel::close(native());
    kernel::close(wake_);
  }

  const char* name() const noexcept override { return "io_uring"; }

  // Not the ring's: as long as the kernel keeps completions back, it does not wake who polls that.
  Result<int> native_fd() override {
    if (native() >= 0) return native();
    const int fd = kernel::eventfd();
    if (fd < 0) return system_error(-fd, "eventfd");
    if (const int error = ring::notify(ring_, fd); error < 0) {
      kernel::close(fd);
      return system_error(-error, "io_uring_register");
    }
    kernel::eventfd_signal(fd);  // of what is there already nobody would tell
    // [NF1] release: who signals finds a descriptor that is made; pairs with [NF2].
    native_.store(fd, std::memory_order_release);
    return fd;
  }

  Result<bool> take_over() override {
    if (owner_ == seam::thread_number()) return false;
    const bool had_owner = enabled_;
    if (had_owner) {
      Result<io_uring> made = make_ring(sizes_);
      if (!made) return std::move(made).error();
      if (const int error = native() < 0 ? 0 : ring::notify(*made, native()); error < 0) {
        ring::tear_down(*made);
        return system_error(-error, "io_uring_register");
      }
      ring::tear_down(ring_);
      ring_ = *made;
      enabled_ = has_lost_events_ = has_ever_lost_ = false;
      queued_.clear();
      arm(wake_, wake_token);
    }
    owner_ = seam::thread_number();
    return had_owner;
  }

  int arm(int fd, Token token) override {
    if (has_ever_lost_ && is_about_to_be_armed(token)) return 0;
    queued_.push_back({fd, token, true});
    return 0;
  }

  bool disarm(int fd, Token token) override {
    queued_.push_back({fd, token, false});
    return false;
  }

  bool flush() override {
    if (!enabled_ && !enable()) return false;
    std::size_t done = 0;
    while (done < queued_.size() || io_uring_sq_ready(&ring_) != 0) {
      while (done < queued_.size() && prepare(queued_[done])) ++done;
      counters_.enters.add();
      const int submitted = ring::submit(ring_);
      // Whatever the kernel did not take (EBUSY, EAGAIN, EINTR) is offered again at the next flush.
      if (submitted <= 0) break;
      counters_.submissions.add(static_cast<std::uint64_t>(submitted));
    }
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(done));
    return queued_.empty() && io_uring_sq_ready(&ring_) == 0;
  }

  void wait(std::optional<Duration> timeout) override {
    counters_.waits.add();
    const int result = ring::wait(ring_, timeout);
    if (result == -EBADR) note_loss();
    // Interrupted or timed out: the caller looks, and sleeps again.
    if (result < 0 && result != -ETIME && result != -EINTR) pause_after_failed_wait("io_uring_enter", -result, timeout);
  }

  void reap(PollSink& sink, std::size_t most) override {
    if (native() >= 0) quieten();
    std::array<ring::Completion, most_events_a_reap> completions;
    // Once more than needed: a small queue has had no room for everything.
    for (std::size_t room = std::min(most, completions.size()); room != 0;) {
      if (ring::keeps_some_back(ring_)) fetch();
      const std::size_t count = ring::take(ring_, std::span(completions).first(room));
      counters_.completions.add(count);
      for (const ring::Completion& completion : std::span(completions).first(count)) report(completion, sink);
      if (count == 0) break;
      room -= count;
    }
    // When all has been reported: a poll that is known to have ended is not cancelled, and found to have ended, as
    // well.
    if (io_uring_cq_ready(&ring_) == 0 && std::exchange(has_lost_events_, false)) on_loss(sink);
  }

  void signal() noexcept override {
    counters_.signals.add();
    kernel::eventfd_signal(wake_);
    // By itself, too: where the completion that it makes would have to tell an eventfd from within a write to another,
    // the kernel puts that off for milliseconds. Who misses a descriptor that is just being made is told in that way.
    if (native() >= 0) kernel::eventfd_signal(native());
  }

  PollerMetrics metrics() const noexcept override { return counters_.read(); }

 private:
  int native() const noexcept {
    // [NF2] acquire: pairs with [NF1].
    return native_.load(std::memory_order_acquire);
  }

  // The kernel writes to the descriptor when it posts what it has kept back, too: so that comes first. What comes in
  // between says so by its flag; what comes later writes again.
  void quieten() noexcept {
    for (int i = 0; i < most_rounds_to_quieten; ++i) {
      if (ring::keeps_some_back(ring_)) fetch();
      kernel::eventfd_take(native());
      if (!ring::keeps_some_back(ring_)) return;
    }
    kernel::eventfd_signal(native());
  }

  // The kernel keeps something back.
  void fetch() noexcept {
    counters_.enters.add();
    if (ring::has_overflowed(ring_)) counters_.overflows.add();
    if (ring::fetch(ring_) == -EBADR) note_loss();
  }

  void note_loss() noexcept {
    counters_.losses.add();
    has_lost_events_ = true;
  }

  struct Request {
    int fd;
    Token token;
    bool arm;
  };

  // Of two polls with one token the second end is not to begin a third.
  bool is_about_to_be_armed(Token token) const noexcept {
    return std::ranges::any_of(queued_,
                               [token](const Request& request) { return request.arm && request.token == token; });
  }

  // Makes the calling thread the ring's owner.
  bool enable() noexcept {
    enabled_ = ring::enable(ring_) >= 0;
    return enabled_;
  }

  bool prepare(const Request& request) noexcept {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) return false;
    if (request.arm) {
      io_uring_prep_poll_multishot(entry, request.fd, interest);
      entry->user_data = request.token;
    } else {
      // After a loss: all, for there may be two, and with an answer: how many there were.
      io_uring_prep_cancel64(entry, request.token, has_ever_lost_ ? IORING_ASYNC_CANCEL_ALL : 0);
      if (!has_ever_lost_) entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
      entry->user_data = request.token | of_cancel;
    }
    return true;
  }

  void on_loss(PollSink& sink) {
    has_ever_lost_ = true;
    disarm(wake_, wake_token);
    sink.on_loss();
  }

  void report(const ring::Completion& completion, PollSink& sink) {
    const Token token = completion.user_data & ~of_cancel;
    const bool is_of_cancel = token != completion.user_data;
    // What there was to cancel says itself that it has ended.
    if (is_of_cancel && completion.result != 0) return;
    const bool last = (completion.flags & IORING_CQE_F_MORE) == 0;
    if (token == wake_token) {
      if (last) arm(wake_, wake_token);
      return;
    }
    if (is_of_cancel) return sink.on_event({token, 0, last});
    const auto mask = static_cast<std::uint32_t>(std::max(completion.result, 0));
    // Cancelled, by disarm() or because who submitted it has ended: that is no failure.
    const int error = completion.result == -ECANCELED ? 0 : -std::min(completion.result, 0);
    sink.on_event({token, mask, last, error});
  }

  io_uring ring_;
  const RingSizes sizes_;
  const int wake_;
  seam::Atomic<int> native_{-1};  // see native_fd(); made when it is asked for
  std::uint64_t owner_ = 0;       // who has taken over; 0: nobody, the first who flushes has the ring
  bool enabled_ = false;
  bool has_lost_events_ = false;  // the kernel has said so, and the sink does not know yet
  bool has_ever_lost_ = false;
  std::vector<Request> queued_;
  PollerCounters counters_;
};

}  // namespace

Result<std::unique_ptr<Poller>> make_ring_poller(const RingSizes& sizes) {
  Result<io_uring> made = make_ring(sizes);
  if (!made) return std::move(made).error();
  const int wake = kernel::eventfd();
  if (wake < 0) {
    ring::tear_down(*made);
    return system_error(-wake, "eventfd");
  }
  return std::unique_ptr<Poller>(std::make_unique<RingPoller>(*made, sizes, wake));
}

}  // namespace skua::reactor
