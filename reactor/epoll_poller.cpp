// EpollPoller: readiness by epoll, edge-triggered.
#include <skua/core/kernel.hpp>
#include <skua/reactor/poller.hpp>
#include <skua/reactor/wait_failure.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace skua::reactor {

namespace {

constexpr Token wake_token = ~Token{0};
constexpr std::uint32_t interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

class EpollPoller final : public Poller {
 public:
  EpollPoller(int epoll, int wake) noexcept : epoll_(epoll), wake_(wake) {}
  ~EpollPoller() override {
    kernel::close(wake_);
    kernel::close(epoll_);
  }

  const char* name() const noexcept override { return "epoll"; }

  Result<int> native_fd() override { return epoll_; }

  int arm(int fd, Token token) override {
    epoll_event event{};
    event.events = interest;
    event.data.u64 = token;
    counters_.enters.add();
    counters_.submissions.add();
    return -kernel::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  bool disarm(int fd, Token) override {
    counters_.enters.add();
    counters_.submissions.add();
    // Before close(): if the file lives on in a child process, closing alone would leave it armed.
    kernel::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return true;
  }

  bool flush() override { return true; }

  void wait(std::optional<Duration> timeout) override {
    timespec time{};
    if (timeout) {
      const auto ns = std::max<Duration::rep>(timeout->count(), 0);
      time = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    }
    counters_.waits.add();
    const int count = fetch(events_.size(), timeout ? &time : nullptr);
    if (count < 0) pause_after_failed_wait("epoll_wait", -count, timeout);
    count_ = std::max(count, 0);
  }

  void reap(PollSink& sink, std::size_t most) override {
    static constexpr timespec at_once{};
    if (count_ == 0) {
      counters_.enters.add();
      count_ = std::max(fetch(std::min(most, events_.size()), &at_once), 0);
    }
    const auto count = static_cast<std::size_t>(std::exchange(count_, 0));
    for (const epoll_event& event : std::span(events_).first(count)) {
      // The eventfd is never read: each write is an edge, and its counter cannot get full in a lifetime.
      if (event.data.u64 == wake_token) continue;
      sink.on_event({.token = event.data.u64, .mask = event.events, .last = false, .is_exact = true});
    }
  }

  void signal() noexcept override {
    counters_.signals.add();
    kernel::eventfd_signal(wake_);
  }

  PollerMetrics metrics() const noexcept override { return counters_.read(); }

 private:
  int fetch(std::size_t most, const timespec* timeout) noexcept {
    const int count = kernel::epoll_wait(epoll_, events_.data(), static_cast<int>(most), timeout);
    counters_.completions.add(static_cast<std::uint64_t>(std::max(count, 0)));
    return count;
  }

  const int epoll_;
  const int wake_;
  // Owner only
  std::array<epoll_event, 256> events_;
  int count_ = 0;  // that wait() brought and reap() has not reported
  PollerCounters counters_;
};

}  // namespace

Result<std::unique_ptr<Poller>> make_epoll_poller() {
  const int epoll = kernel::epoll_create();
  if (epoll < 0) return system_error(-epoll, "epoll_create1");
  const int wake = kernel::eventfd();
  if (wake < 0) {
    kernel::close(epoll);
    return system_error(-wake, "eventfd");
  }
  auto poller = std::make_unique<EpollPoller>(epoll, wake);
  if (const int error = poller->arm(wake, wake_token)) return system_error(error, "epoll_ctl");
  return std::unique_ptr<Poller>(std::move(poller));
}

}  // namespace skua::reactor
