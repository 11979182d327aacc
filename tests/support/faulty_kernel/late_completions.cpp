#include "late_completions.hpp"

#include <skua/core/assert.hpp>
#include <skua/core/mutex.hpp>

#include <liburing.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using reactor::ring::Completion;

constexpr std::uint64_t mark = std::uint64_t{0xFA17} << 48;  // no token of the runtime begins so
constexpr unsigned pass_flags = 1u << 1;                     // IORING_MSG_RING_FLAGS_PASS, which liburing 2.3 lacks

struct Late {
  std::uint64_t id;
  int ring;
  Instant due;
  Completion completion;
  bool is_posted = false;
};

class Postman {
 public:
  /// Lives as long as the program; its thread is detached.
  static Postman& instance() {
    static Postman* const postman = new Postman;
    return *postman;
  }

  bool works() const noexcept { return works_; }

  void post(int ring, const Completion& completion, Duration delay) {
    if (!works_)
      fail_fast("this kernel cannot post completions to another ring", "Ask LateCompletions::are_possible()");
    const seam::Lock lock(mutex_);
    Instant due = seam::now() + delay;
    for (const Late& late : late_) due = std::max(due, late.ring == ring ? late.due : due);
    late_.push_back({.id = next_id_++, .ring = ring, .due = due, .completion = completion});
  }

  bool restore(Completion& completion) {
    const seam::Lock lock(mutex_);
    const auto found = std::ranges::find(late_, completion.user_data ^ mark, &Late::id);
    if (found == late_.end() || !found->is_posted) return false;
    completion = found->completion;
    late_.erase(found);
    return true;
  }

  bool expects(int ring, std::uint64_t user_data) {
    const seam::Lock lock(mutex_);
    return std::ranges::any_of(
        late_, [=](const Late& late) { return late.ring == ring && late.completion.user_data == user_data; });
  }

  void forget(int ring) {
    const seam::Lock lock(mutex_);
    std::erase_if(late_, [ring](const Late& late) { return late.ring == ring; });
  }

 private:
  Postman() {
    if (io_uring_queue_init(8, &ring_, 0) < 0) return;
    works_ = try_it();
    if (works_) std::thread([this] { run(); }).detach();
  }

  // To a ring as the pollers', from another thread than its owner.
  bool try_it() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    io_uring target{};
    if (io_uring_queue_init_params(8, &target, &params) < 0) return false;
    Late late{.id = 1, .ring = target.ring_fd, .due = {}, .completion = {7, 8, IORING_CQE_F_MORE}};
    bool arrived = false;
    std::thread([&] { arrived = send(late); }).join();
    if (arrived) {
      io_uring_cqe* completion = nullptr;
      __kernel_timespec patience{.tv_sec = 1, .tv_nsec = 0};
      arrived = io_uring_wait_cqe_timeout(&target, &completion, &patience) == 0 && completion->user_data == (mark ^ 1);
    }
    io_uring_queue_exit(&target);
    return arrived;
  }

  bool send(Late& late) {
    late.is_posted = true;
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_msg_ring(entry, late.ring, static_cast<unsigned>(late.completion.result), mark ^ late.id, 0);
    entry->msg_ring_flags = pass_flags;
    entry->file_index = late.completion.flags;
    io_uring_cqe* answer = nullptr;
    if (io_uring_submit(&ring_) != 1 || io_uring_wait_cqe(&ring_, &answer) != 0) return false;
    const bool is_sent = answer->res == 0;
    io_uring_cqe_seen(&ring_, answer);
    return is_sent;
  }

  void run() {
    for (;;) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      const seam::Lock lock(mutex_);
      for (Late& late : late_) {
        if (late.is_posted || late.due > seam::now()) continue;
        if (!send(late)) fail_fast("a late completion could not be posted", "Look at tests/support/faulty_kernel");
      }
    }
  }

  io_uring ring_{};
  bool works_ = false;
  seam::Mutex mutex_;
  std::uint64_t next_id_ SKUA_GUARDED_BY(mutex_) = 1;
  std::vector<Late> late_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace

bool LateCompletions::are_possible() { return Postman::instance().works(); }
void LateCompletions::post(int fd, const Completion& completion, Duration delay) {
  Postman::instance().post(fd, completion, delay);
}
bool LateCompletions::restore(Completion& completion) {
  return (completion.user_data & mark) == mark && Postman::instance().restore(completion);
}
bool LateCompletions::are_expected(int fd, std::uint64_t user_data) {
  return Postman::instance().expects(fd, user_data);
}
void LateCompletions::forget(int fd) { Postman::instance().forget(fd); }

}  // namespace skua::tests
