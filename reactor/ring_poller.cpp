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
// completion queue overflows, then entering the kernel fetches the rest.
#include <skua/core/kernel.hpp>
#include <skua/reactor/poller.hpp>

#include <liburing.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace skua::reactor {

namespace {

constexpr unsigned submission_entries = 256;
constexpr unsigned completion_entries = 4096;
constexpr unsigned most_events_a_reap = 256;
constexpr Token wake_token = ~Token{0};
constexpr Token ignored_token = ~Token{0} - 1;  // the completion of a cancel request
constexpr unsigned interest = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

class RingPoller final : public Poller {
 public:
  // `ring` has been set up; it is moved in bitwise, as liburing allows.
  RingPoller(const io_uring& ring, int wake) : ring_(ring), wake_(wake) { arm(wake_, wake_token); }
  ~RingPoller() override {
    io_uring_queue_exit(&ring_);
    kernel::close(wake_);
  }

  const char* name() const noexcept override { return "io_uring"; }

  int arm(int fd, Token token) override {
    queued_.push_back({fd, token, true});
    return 0;
  }

  bool disarm(int fd, Token token) override {
    queued_.push_back({fd, token, false});
    return false;
  }

  bool flush() override {
    if (!enabled_) enable();
    std::size_t done = 0;
    while (done < queued_.size() || io_uring_sq_ready(&ring_) != 0) {
      while (done < queued_.size() && prepare(queued_[done])) ++done;
      // Whatever the kernel did not take (EBUSY, EAGAIN, EINTR) is offered again at the next flush.
      if (io_uring_submit(&ring_) <= 0) break;
    }
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(done));
    return queued_.empty() && io_uring_sq_ready(&ring_) == 0;
  }

  void wait(std::optional<Duration> timeout) override {
    __kernel_timespec time{};
    if (timeout) {
      const auto ns = std::max<Duration::rep>(timeout->count(), 0);
      time.tv_sec = ns / 1'000'000'000;
      time.tv_nsec = ns % 1'000'000'000;
    }
    io_uring_getevents_arg argument{};
    if (timeout) argument.ts = reinterpret_cast<std::uintptr_t>(&time);
    // EINTR and ETIME are as good as an event: the caller looks, and sleeps again.
    io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                    reinterpret_cast<sigset_t*>(&argument), sizeof argument);
  }

  void reap(PollSink& sink) override {
    if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0) {
      io_uring_enter(static_cast<unsigned>(ring_.ring_fd), 0, 0, IORING_ENTER_GETEVENTS, nullptr);
    }
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      report(*completion, sink);
      if (++count == most_events_a_reap) break;
    }
    io_uring_cq_advance(&ring_, count);
  }

  void signal() noexcept override { kernel::eventfd_signal(wake_); }

 private:
  struct Request {
    int fd;
    Token token;
    bool arm;
  };

  // Makes the calling thread the ring's owner.
  void enable() noexcept {
    // Not io_uring_enable_rings(): liburing 2.3 declares it without exporting it.
    io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    enabled_ = true;
  }

  bool prepare(const Request& request) noexcept {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) return false;
    if (request.arm) {
      io_uring_prep_poll_multishot(entry, request.fd, interest);
      entry->user_data = request.token;
    } else {
      io_uring_prep_cancel64(entry, request.token, 0);
      entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
      entry->user_data = ignored_token;
    }
    return true;
  }

  void report(const io_uring_cqe& completion, PollSink& sink) {
    const bool last = (completion.flags & IORING_CQE_F_MORE) == 0;
    if (completion.user_data == ignored_token) return;
    if (completion.user_data == wake_token) {
      if (last) arm(wake_, wake_token);
      return;
    }
    // Cancelled by disarm(): no event.
    const auto failed = completion.res == -ECANCELED ? std::uint32_t{0} : std::uint32_t{EPOLLERR | EPOLLHUP};
    sink.on_event(
        {completion.user_data, completion.res < 0 ? failed : static_cast<std::uint32_t>(completion.res), last});
  }

  io_uring ring_;
  const int wake_;
  bool enabled_ = false;
  std::vector<Request> queued_;
};

// A ring whose set-up succeeded may still be of no use: a feature is missing, or a filter refuses to enter it. (A ring
// that is not enabled yet answers EBADFD.)
int check_usable(const io_uring& ring) {
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
  if ((ring.features & needed) != needed) return -ENOSYS;
  const int entered = io_uring_enter(static_cast<unsigned>(ring.ring_fd), 0, 0, IORING_ENTER_GETEVENTS, nullptr);
  return entered == -EBADFD ? 0 : std::min(entered, 0);
}

}  // namespace

Result<std::unique_ptr<Poller>> make_ring_poller() {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED;
  params.cq_entries = completion_entries;
  io_uring ring{};
  if (const int error = io_uring_queue_init_params(submission_entries, &ring, &params); error < 0) {
    return system_error(-error, "io_uring_setup");
  }
  io_uring_ring_dontfork(&ring);
  if (const int error = check_usable(ring); error < 0) {
    io_uring_queue_exit(&ring);
    return system_error(-error, "io_uring_enter");
  }
  const int wake = kernel::eventfd();
  if (wake < 0) {
    io_uring_queue_exit(&ring);
    return system_error(-wake, "eventfd");
  }
  return std::unique_ptr<Poller>(std::make_unique<RingPoller>(ring, wake));
}

}  // namespace skua::reactor
