#include <skua/core/try.hpp>
#include <skua/signal/signal.hpp>

#include <utility>

namespace skua {

ssize_t SignalCall::attempt(int) noexcept {
  const std::uint64_t raised = signals_raised(number);
  return std::exchange(seen, raised) == raised ? -EAGAIN : 0;
}

Signal::Signal(SignalSubscription subscription, int fd)
    : subscription_(std::move(subscription)),
      source_(make_ref<reactor::IoSource>(fd)),
      seen_(subscription_.raised_before()) {}

Result<Signal> Signal::listen(int number) {
  Result<SignalSubscription> subscription = SignalSubscription::make(number);
  if (!subscription) return std::move(subscription).error();
  Result<OwnedFd> fd = subscription->descriptor();
  if (!fd) return std::move(fd).error();
  return Signal(*std::move(subscription), fd->release());
}

Task<Result<void>> ctrl_c() {
  Signal interrupted = co_await try_(Signal::listen(SIGINT));
  co_return co_await interrupted.next();
}

}  // namespace skua
