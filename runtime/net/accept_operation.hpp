// AcceptOperation: accept() that waits while the process or the system is out of descriptors or memory.
//
// Such a shortage may pass, and the connections wait in the kernel's queue meanwhile; a server that ended, or asked
// again at once, would only make it worse. So the operation tries again after 5 ms, then after twice as long each time,
// up to 100 ms: at most ten tries a second, and served a tenth of a second after a descriptor is free.
//
// From one second on, where descriptors are what is missing, each try turns away up to 64 of the connections that wait:
// they are closed, by means of the ReserveDescriptor, so that their clients see it instead of hanging. Bound the number
// of connections below the limit of descriptors (RLIMIT_NOFILE), and it does not come to that.
//
// A warning is logged, at most once a minute in the process.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/net/reserve_descriptor.hpp>
#include <skua/time/sleep.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace skua {

/// EMFILE, ENFILE.
bool is_shortage_of_descriptors(const Error& error) noexcept;
/// These, ENOBUFS, ENOMEM.
bool is_shortage(const Error& error) noexcept;
void warn_of_shortage(const Error& error);

/// accept4() that passes over connections that ended in the queue. As a `Call`'s attempt().
ssize_t accept_next(int fd, sockaddr* peer, socklen_t* size) noexcept;

/// `Call` as of IoOperation.
template <class Call>
class [[nodiscard]] AcceptOperation {
 public:
  using Value = typename Call::Value;

  AcceptOperation(reactor::IoSource& source, Call call) noexcept : source_(source), accept_(source, std::move(call)) {}

  Poll<Result<Value>> poll(Context& context) {
    for (;;) {
      if (pause_ && pause_->poll(context).is_pending()) return pending;
      pause_.reset();
      Poll<Result<Value>> accepted = accept_.poll(context);
      if (accepted.is_pending() || accepted.value() || !is_shortage(accepted.value().error())) return accepted;
      wait_for_its_end(accepted.value().error());
    }
  }

 private:
  void wait_for_its_end(const Error& shortage) {
    const Instant now = Clock::now();
    if (delay_ == first_delay) {
      warn_of_shortage(shortage);
      patient_until_ = saturating_add(now, patience);
    }
    if (now >= patient_until_ && is_shortage_of_descriptors(shortage)) {
      ReserveDescriptor::turn_away(source_.fd(), turned_away_at_once);
    }
    pause_.emplace(saturating_add(now, delay_));
    delay_ = std::min(2 * delay_, longest_delay);
  }

  static constexpr Duration patience = std::chrono::seconds(1);
  static constexpr std::size_t turned_away_at_once = 64;
  static constexpr Duration first_delay = std::chrono::milliseconds(5);
  static constexpr Duration longest_delay = std::chrono::milliseconds(100);

  reactor::IoSource& source_;
  IoOperation<Call> accept_;
  std::optional<Sleep> pause_;
  Duration delay_ = first_delay;
  Instant patient_until_;
};

}  // namespace skua
