// RingPoller: readiness by io_uring, one multishot poll request for each descriptor.
//
// The ring runs with COOP_TASKRUN: completions are posted when the owner passes through the kernel, without an interrupt.
// (Measured, CPU per echo request: DEFER_TASKRUN 1.00, COOP 1.02 to 1.08, neither 2.8. With DEFER nobody but the owner could
// ever see a completion, so a busy worker would hold up its sockets; that is what COOP's few per cent pay for.)
//
// Requests are queued here and submitted by flush(), so that SQEs are never in short supply. They belong to the thread that
// submits them: the kernel cancels them when it exits, and completes them in its context. So the owner submits, or, for an
// owner that is stuck, the reactor thread, which lives as long.
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
constexpr unsigned interest = POLLIN | POLLOUT | POLLRDHUP;

Error refused(const char* call, int error) { return Error(std::error_code(-error, std::system_category()), call); }

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

  void flush() override {
    std::size_t done = 0;
    while (done < queued_.size() || io_uring_sq_ready(&ring_) != 0) {
      while (done < queued_.size() && prepare(queued_[done])) ++done;
      // Whatever the kernel did not take (EBUSY, EAGAIN, EINTR) is offered again at the next flush.
      if (io_uring_submit(&ring_) <= 0) break;
    }
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(done));
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

  void reap(PollSink& sink, bool owner) override {
    const unsigned flags = pending_flags();
    if ((flags & IORING_SQ_CQ_OVERFLOW) != 0 || (owner && (flags & IORING_SQ_TASKRUN) != 0)) {
      io_uring_enter(static_cast<unsigned>(ring_.ring_fd), 0, 0, IORING_ENTER_GETEVENTS, nullptr);
    }
    unsigned head = 0;
    unsigned count = 0;
    bool signalled = false;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      if (completion->user_data == wake_token) signalled = true;
      report(*completion, sink);
      if (++count == most_events_a_reap) break;
    }
    io_uring_cq_advance(&ring_, count);
    if (signalled && !owner) signal();  // it was for the owner, who may be about to sleep
  }

  void signal() noexcept override { kernel::eventfd_signal(wake_); }

  void nudge() noexcept override {
    if ((pending_flags() & IORING_SQ_TASKRUN) != 0) kernel::interrupt_running_threads();
  }

 private:
  struct Request {
    int fd;
    Token token;
    bool arm;
  };

  unsigned pending_flags() const noexcept { return IO_URING_READ_ONCE(*ring_.sq.kflags); }

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
    // Cancelled: by disarm(), or because the thread that submitted it has exited; no event, it is armed again if need be.
    const auto failed = completion.res == -ECANCELED ? std::uint32_t{0} : std::uint32_t{EPOLLERR | EPOLLHUP};
    sink.on_event({completion.user_data, completion.res < 0 ? failed : static_cast<std::uint32_t>(completion.res), last});
  }

  io_uring ring_;
  const int wake_;
  std::vector<Request> queued_;
};

// A ring whose set-up succeeded may still be of no use: an old kernel, or a filter that refuses to enter it.
int check_usable(const io_uring& ring) {
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
  if ((ring.features & needed) != needed) return -ENOSYS;
  return std::min(io_uring_enter(static_cast<unsigned>(ring.ring_fd), 0, 0, IORING_ENTER_GETEVENTS, nullptr), 0);
}

}  // namespace

Result<std::unique_ptr<Poller>> make_ring_poller() {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
  params.cq_entries = completion_entries;
  io_uring ring{};
  if (const int error = io_uring_queue_init_params(submission_entries, &ring, &params); error < 0) {
    return refused("io_uring_setup", error);
  }
  io_uring_ring_dontfork(&ring);
  if (const int error = check_usable(ring); error < 0) {
    io_uring_queue_exit(&ring);
    return refused("io_uring_enter", error);
  }
  const int wake = kernel::eventfd();
  if (wake < 0) {
    io_uring_queue_exit(&ring);
    return refused("eventfd", wake);
  }
  kernel::register_interrupt_running_threads();
  return std::unique_ptr<Poller>(std::make_unique<RingPoller>(ring, wake));
}

}  // namespace skua::reactor
