#include <skua/core/kernel.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/wake.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/process/child_reaper.hpp>
#include <skua/reactor/driver.hpp>

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

namespace skua {

namespace {

struct Unwatched {
  seam::Mutex mutex;
  std::vector<Ref<reactor::IoSource>> children SKUA_GUARDED_BY(mutex);
};
// Never destroyed: threads may still end children while the program ends.
Unwatched& unwatched() {
  static auto& list = *new Unwatched;
  return list;
}

// True: there is nothing to be waited for any more.
bool reap(const reactor::IoSource& pidfd) noexcept {
  siginfo_t info{};
  return kernel::wait_child(pidfd.fd(), &info, WEXITED | WNOHANG) < 0 || info.si_pid != 0;
}

void leave_unwatched(Ref<reactor::IoSource> pidfd) {
  const seam::Lock lock(unwatched().mutex);
  unwatched().children.push_back(std::move(pidfd));
}

/// A child that runs and that nobody waits for. Its waker owns it.
class Orphan : public RefCounted<Orphan> {
 public:
  explicit Orphan(Ref<reactor::IoSource> pidfd) noexcept
      : pidfd_(std::move(pidfd)), wait_(*pidfd_, reactor::Direction::read) {}

  /// By the driver, or first by whoever abandons the child. Not two at a time: a wake needs a wait before it, and after
  /// the wait nothing here is touched.
  void wake() noexcept {
    for (;;) {
      const auto seen = wait_.snapshot();
      if (reap(*pidfd_)) return;
      if (reactor::Readiness::is_shut_down(seen)) return leave_unwatched(pidfd_);  // the driver has been shut down
      wait_.would_block(seen);
      const Waker waker = make_waker(Ref<Orphan>::share(this));
      Context context(waker);
      const Result<bool> is_ready = wait_.wait(context);
      if (!is_ready) return leave_unwatched(pidfd_);
      if (!*is_ready) return;
    }
  }

 private:
  friend class RefCounted<Orphan>;
  ~Orphan() = default;
  const Ref<reactor::IoSource> pidfd_;
  ReadinessWait wait_;
};

}  // namespace

void reap_when_ended(Ref<reactor::IoSource> pidfd) {
  reap_unwatched();
  if (reap(*pidfd)) return;
  if (!pidfd->is_registered() && !reactor::Driver::has_current()) return leave_unwatched(std::move(pidfd));
  make_ref<Orphan>(std::move(pidfd))->wake();
}

void reap_unwatched() {
  std::vector<Ref<reactor::IoSource>> ended;  // dropped after the lock is released
  const seam::Lock lock(unwatched().mutex);
  auto& children = unwatched().children;
  for (std::size_t i = 0; i < children.size();) {
    if (!reap(*children[i])) {
      ++i;
      continue;
    }
    ended.push_back(std::exchange(children[i], std::move(children.back())));
    children.pop_back();
  }
}

}  // namespace skua
