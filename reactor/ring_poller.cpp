// RingPoller: readiness by io_uring, one multishot poll request for each descriptor.
//
// The ring runs with DEFER_TASKRUN: the kernel keeps completions back until the owner enters the ring, and posts them
// in one go. (Measured, CPU per echo request, raw loops in C: DEFER 1.00, COOP 1.10, neither 2.8.) The price: only the
// owner may submit and reap, so the ring is enabled by the first thread that flushes, and events for an owner that is
// stuck in user code are found in another way, see Driver::harvest().
//
// Requests are queued here and submitted by flush(), so that SQEs are never in short supply.
//
// Normal events: the kernel ends a multishot poll (no F_MORE), then it is armed again, unless it has been disarmed; the
// completion queue overflows, then entering the kernel fetches the rest; the kernel has no memory to keep the rest and
// says that it has dropped some (EBADR). Those are last ones (a poll that finds the queue full ends), so every poll is
// cancelled: an answer that there was none tells of an end that nobody has heard of.
#include <skua/core/kernel.hpp>
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
constexpr Token of_cancel = Token{1} << 63;  // set in the user_data of the request that cancels the token's poll
constexpr Token wake_token = of_cancel - 1;
constexpr unsigned interest = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

class RingPoller final : public Poller {
 public:
  // `ring` has been set up; it is moved in bitwise, as liburing allows.
  RingPoller(const io_uring& ring, int wake) : ring_(ring), wake_(wake) { arm(wake_, wake_token); }
  ~RingPoller() override {
    ring::tear_down(ring_);
    kernel::close(wake_);
  }

  const char* name() const noexcept override { return "io_uring"; }

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
      // Whatever the kernel did not take (EBUSY, EAGAIN, EINTR) is offered again at the next flush.
      if (ring::submit(ring_) <= 0) break;
    }
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(done));
    return queued_.empty() && io_uring_sq_ready(&ring_) == 0;
  }

  void wait(std::optional<Duration> timeout) override {
    const int result = ring::wait(ring_, timeout);
    if (result == -EBADR) has_lost_events_ = true;
    // Interrupted or timed out: the caller looks, and sleeps again.
    if (result < 0 && result != -ETIME && result != -EINTR) pause_after_failed_wait("io_uring_enter", -result, timeout);
  }

  void reap(PollSink& sink) override {
    std::array<ring::Completion, most_events_a_reap> completions;
    // Once more than needed: a small queue has had no room for everything.
    for (std::size_t room = completions.size(); room != 0;) {
      if (ring::keeps_some_back(ring_) && ring::fetch(ring_) == -EBADR) has_lost_events_ = true;
      const std::size_t count = ring::take(ring_, std::span(completions).first(room));
      for (const ring::Completion& completion : std::span(completions).first(count)) report(completion, sink);
      if (count == 0) break;
      room -= count;
    }
    // When all has been reported: a poll that is known to have ended is not cancelled, and found to have ended, as
    // well.
    if (io_uring_cq_ready(&ring_) == 0 && std::exchange(has_lost_events_, false)) on_loss(sink);
  }

  void signal() noexcept override { kernel::eventfd_signal(wake_); }

 private:
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
  const int wake_;
  bool enabled_ = false;
  bool has_lost_events_ = false;  // the kernel has said so, and the sink does not know yet
  bool has_ever_lost_ = false;
  std::vector<Request> queued_;
};

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

}  // namespace

Result<std::unique_ptr<Poller>> make_ring_poller(const RingSizes& sizes) {
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
  const int wake = kernel::eventfd();
  if (wake < 0) {
    ring::tear_down(made);
    return system_error(-wake, "eventfd");
  }
  return std::unique_ptr<Poller>(std::make_unique<RingPoller>(made, wake));
}

}  // namespace skua::reactor
