#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/thread.hpp>
#include <skua/io/sigpipe.hpp>

#include <cerrno>

namespace skua {

namespace {

constexpr int rwf_nosignal = 0x100;  // RWF_NOSIGNAL, which the headers of older kernels do not have

class Sigpipe {
 public:
  Sigpipe() noexcept {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
  }
  /// Takes back what a failed write has left pending.
  void take() const noexcept { kernel::take_pending_signal(&set_); }
  const sigset_t& set() const noexcept { return set_; }

 private:
  sigset_t set_;
};

ssize_t write_with_signal_blocked(int fd, std::span<const iovec> parts) noexcept {
  const Sigpipe sigpipe;
  sigset_t before;
  kernel::thread_signal_mask(SIG_BLOCK, &sigpipe.set(), &before);
  const ssize_t result = kernel::writev(fd, parts.data(), static_cast<int>(parts.size()));
  // Who has blocked it himself may have one of his own pending, and is not hurt by another.
  if (sigismember(&before, SIGPIPE) == 0) {
    if (result == -EPIPE) sigpipe.take();
    kernel::thread_signal_mask(SIG_SETMASK, &before, nullptr);
  }
  return result;
}

ssize_t write_on_foreign_thread(int fd, std::span<const iovec> parts) noexcept {
  static seam::Atomic<bool> has_flag{true};
  // relaxed: what the kernel, or a filter, does not know it will not learn
  if (has_flag.load(std::memory_order_relaxed)) {
    const ssize_t result = kernel::pwritev2(fd, parts.data(), static_cast<int>(parts.size()), rwf_nosignal);
    if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
    has_flag.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
  return write_with_signal_blocked(fd, parts);
}

ssize_t after_own_write(ssize_t result) noexcept {
  if (result == -EPIPE) Sigpipe().take();
  return result;
}

}  // namespace

ssize_t write_without_sigpipe(int fd, ConstBuffer bytes) noexcept {
  if (seam::Thread::is_current()) return after_own_write(kernel::write(fd, bytes.data(), bytes.size()));
  const iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  return write_on_foreign_thread(fd, {&part, 1});
}

ssize_t write_without_sigpipe(int fd, std::span<const iovec> parts) noexcept {
  if (!seam::Thread::is_current()) return write_on_foreign_thread(fd, parts);
  return after_own_write(kernel::writev(fd, parts.data(), static_cast<int>(parts.size())));
}

}  // namespace skua
