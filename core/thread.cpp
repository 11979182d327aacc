#include <skua/core/atomic.hpp>
#include <skua/core/thread.hpp>

#include <pthread.h>
#include <signal.h>

namespace skua::seam {

namespace {

constinit thread_local bool is_ours = false;
constinit thread_local std::uint64_t own_number = 0;
constinit seam::Atomic<std::uint64_t> last_number{0};

// Blocks every signal that is not a fault of the thread itself, for the lifetime of the object.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::thread start_thread(std::string name, std::function<void()> body) {
  const SignalsBlocked inherited_by_the_new_thread;
  return std::thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    is_ours = true;
    body();
  });
}

bool is_started_thread() noexcept { return is_ours; }

std::uint64_t thread_number() noexcept {
  // relaxed: numbers that differ are all that is asked for
  if (own_number == 0) own_number = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  return own_number;
}

}  // namespace skua::seam
