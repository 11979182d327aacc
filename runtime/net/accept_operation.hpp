// AcceptOperation: accept() that waits while the process or the system is out of descriptors or memory.
//
// Such a shortage passes, and the connections wait in the kernel's queue meanwhile; a server that ended, or asked again
// at once, would only make it worse. So the operation tries again after 5 ms, then after twice as long each time, up to
// 100 ms: at most ten tries a second, and served a tenth of a second after a descriptor is free. A warning is logged,
// at most once a minute in the process.
//
// The alternative, a spare descriptor to accept and close connections with, refuses clients that could be served a
// moment later. Bound the number of connections below the limit of descriptors (RLIMIT_NOFILE), and neither is needed.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/time/sleep.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace skua {

/// EMFILE, ENFILE, ENOBUFS, ENOMEM.
bool is_shortage(const Error& error) noexcept;
void warn_of_shortage(const Error& error);

/// accept4() that passes over connections that ended in the queue. As a `Call`'s attempt().
ssize_t accept_next(int fd, sockaddr* peer, socklen_t* size) noexcept;

/// `Call` as of IoOperation.
template <class Call>
class [[nodiscard]] AcceptOperation {
 public:
  using Value = typename Call::Value;

  AcceptOperation(reactor::IoSource& source, Call call) noexcept : accept_(source, std::move(call)) {}

  Poll<Result<Value>> poll(Context& context) {
    for (;;) {
      if (pause_ && pause_->poll(context).is_pending()) return pending;
      pause_.reset();
      Poll<Result<Value>> accepted = accept_.poll(context);
      if (accepted.is_pending() || accepted.value() || !is_shortage(accepted.value().error())) return accepted;
      if (delay_ == first_delay) warn_of_shortage(accepted.value().error());
      pause_.emplace(saturating_add(seam::now(), delay_));
      delay_ = std::min(2 * delay_, longest_delay);
    }
  }

 private:
  static constexpr Duration first_delay = std::chrono::milliseconds(5);
  static constexpr Duration longest_delay = std::chrono::milliseconds(100);

  IoOperation<Call> accept_;
  std::optional<Sleep> pause_;
  Duration delay_ = first_delay;
};

}  // namespace skua
