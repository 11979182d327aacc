#include <skua/core/budget.hpp>
#include <skua/core/kernel.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/net/connect_attempt.hpp>
#include <skua/time/sleep.hpp>

#include <algorithm>

namespace skua {

namespace {

/// Ready when the socket has become writable: a connection attempt has ended.
class Writable {
 public:
  explicit Writable(reactor::IoSource& source) noexcept : wait_(source, reactor::Direction::write) {}
  Poll<Result<bool>> poll(Context& context) {
    Result<bool> is_ready = wait_.wait(context);
    if (is_ready && !*is_ready) return pending;
    return is_ready;
  }

 private:
  ReadinessWait wait_;
};

/// Ready at once, or after others have run if the task has used up its budget.
class Turn {
 public:
  Turn() = default;
  Poll<void> poll(Context& context) noexcept {
    if (!budget::take(context)) return pending;
    return ready;
  }
};

constexpr Duration first_delay = std::chrono::milliseconds(1);
constexpr Duration longest_delay = std::chrono::milliseconds(100);

}  // namespace

Task<Result<void>> connect_socket(const Socket& socket, const sockaddr* address, socklen_t size, std::string endpoint) {
  co_await Turn();  // on a loopback address the attempt ends, well or badly, without a wait
  int begun = kernel::connect(socket.native_handle(), address, size);
  // The queue of a Unix listener is full, and nothing will tell when there is room. (TCP never says this.)
  for (Duration delay = first_delay; begun == -EAGAIN && address->sa_family == AF_UNIX;
       delay = std::min(2 * delay, longest_delay)) {
    co_await sleep(delay);
    begun = kernel::connect(socket.native_handle(), address, size);
  }
  if (begun == -EINPROGRESS || begun == -EINTR) {
    // Before the descriptor is registered: the event that ends the attempt cannot have come yet.
    reactor::IoSource& source = socket.source();
    source.clear(reactor::Direction::write, source.snapshot(reactor::Direction::write));
    if (auto writable = co_await Writable(source); !writable) co_return std::move(writable).error();
    const int error = co_await try_(socket.option(SOL_SOCKET, SO_ERROR, "connect"));
    if (error != 0) co_return system_error(error, "connect", std::move(endpoint));
    if (const auto peer = socket.peer_address(); !peer) {
      // Not connected, and no error: the runtime was shut down, which wakes everybody.
      const bool was_woken = peer.error() == std::errc::not_connected;
      co_return system_error(was_woken ? ECANCELED : peer.error().code().value(), "connect", std::move(endpoint));
    }
  } else if (begun < 0) {
    co_return system_error(-begun, "connect", std::move(endpoint));
  }
  co_return {};
}

}  // namespace skua
