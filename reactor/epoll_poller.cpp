// EpollPoller: readiness by epoll, edge-triggered.
#include <skua/core/kernel.hpp>
#include <skua/reactor/poller.hpp>

#include <array>
#include <algorithm>
#include <span>
#include <utility>

namespace skua::reactor {

namespace {

constexpr Token wake_token = ~Token{0};
constexpr std::uint32_t interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

class EpollPoller final : public Poller {
 public:
  EpollPoller(int epoll, int wake) noexcept : epoll_(epoll), wake_(wake) {}
  ~EpollPoller() override {
    kernel::close(wake_);
    kernel::close(epoll_);
  }

  const char* name() const noexcept override { return "epoll"; }

  int arm(int fd, Token token) override {
    epoll_event event{};
    event.events = interest;
    event.data.u64 = token;
    return -kernel::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  bool disarm(int fd, Token) override {
    // Before close(): if the file lives on in a child process, closing alone would leave it armed.
    kernel::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return true;
  }

  void flush() override {}

  void wait(std::optional<Duration> timeout) override {
    timespec time{};
    if (timeout) {
      const auto ns = std::max<Duration::rep>(timeout->count(), 0);
      time = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    }
    waited_count_ = fetch(waited_, timeout ? &time : nullptr);
  }

  void reap(PollSink& sink, bool owner) override {
    if (owner && waited_count_ != 0) {
      report({waited_.data(), std::exchange(waited_count_, 0)}, sink);
      return;
    }
    static constexpr timespec at_once{};
    if (report({polled_.data(), fetch(polled_, &at_once)}, sink) && !owner) {
      signal();  // it was for the owner, who may be about to sleep, or be asleep still: the edge comes but once
    }
  }

  void signal() noexcept override { kernel::eventfd_signal(wake_); }

 private:
  using Events = std::array<epoll_event, 256>;

  std::size_t fetch(Events& events, const timespec* timeout) const noexcept {
    const int count = kernel::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  /// True if there was a signal among the events.
  static bool report(std::span<const epoll_event> events, PollSink& sink) {
    bool signalled = false;
    for (const epoll_event& event : events) {
      // The eventfd is never read: each write is an edge, and its counter cannot get full in a lifetime.
      if (event.data.u64 == wake_token) {
        signalled = true;
      } else {
        sink.on_event({event.data.u64, event.events, false});
      }
    }
    return signalled;
  }

  const int epoll_;
  const int wake_;
  Events waited_;  // owner only
  std::size_t waited_count_ = 0;
  Events polled_;  // under the driver's lock
};

}  // namespace

Result<std::unique_ptr<Poller>> make_epoll_poller() {
  const auto failed = [](const char* call, int error) { return Error(std::error_code(-error, std::system_category()), call); };
  const int epoll = kernel::epoll_create();
  if (epoll < 0) return failed("epoll_create1", epoll);
  const int wake = kernel::eventfd();
  if (wake < 0) {
    kernel::close(epoll);
    return failed("eventfd", wake);
  }
  auto poller = std::make_unique<EpollPoller>(epoll, wake);
  if (const int error = poller->arm(wake, wake_token)) return failed("epoll_ctl", -error);
  return std::unique_ptr<Poller>(std::move(poller));
}

}  // namespace skua::reactor
