// Between CancellationToken and the standard's std::stop_token, for code that knows only the other.
//
//   LinkedStopToken for_library(stop);              // stop.cancel() requests the stop
//   library::run(for_library.get());
//
//   LinkedCancellation from_thread(jthread_token);  // a request of the stop cancels
//   co_await run_until_cancelled(from_thread.token(), work());
//
// Each link lasts as long as its object. Both run their part on the thread that cancels, or requests the stop.
#pragma once

#include <skua/core/wake.hpp>
#include <skua/task/cancellation_token.hpp>

#include <memory>
#include <stop_token>
#include <utility>

namespace skua {

/// A std::stop_token that is requested when a CancellationToken is cancelled. Destroying it leaves the stop_token as it
/// is. Callbacks of the stop_token run inside CancellationToken::cancel(): they must not throw.
class LinkedStopToken {
 public:
  explicit LinkedStopToken(const CancellationToken& token)
      : source_(std::make_shared<Source>()), waker_(make_waker(source_)), cancelled_(token.cancelled()) {
    Context context(waker_);
    if (cancelled_.poll(context).is_ready()) source_->wake();
  }
  LinkedStopToken(const LinkedStopToken&) = delete;
  LinkedStopToken& operator=(const LinkedStopToken&) = delete;

  std::stop_token get() const noexcept { return source_->stop.get_token(); }

 private:
  // A token wakes who waits for nothing but its cancellation.
  struct Source {
    void wake() noexcept { stop.request_stop(); }
    std::stop_source stop;
  };

  std::shared_ptr<Source> source_;
  Waker waker_;
  CancellationToken::Cancelled cancelled_;
};

/// Cancels a CancellationToken when a std::stop_token is requested; at once if it has been already.
class LinkedCancellation {
 public:
  /// With a token of its own.
  explicit LinkedCancellation(std::stop_token stop, CancelReason reason = CancelReason::user)
      : LinkedCancellation(std::move(stop), CancellationToken(), reason) {}
  LinkedCancellation(std::stop_token stop, CancellationToken token, CancelReason reason = CancelReason::user)
      : token_(std::move(token)), callback_(std::move(stop), Cancel(token_, reason)) {}
  LinkedCancellation(const LinkedCancellation&) = delete;
  LinkedCancellation& operator=(const LinkedCancellation&) = delete;

  const CancellationToken& token() const noexcept { return token_; }

 private:
  class Cancel {
   public:
    Cancel(CancellationToken token, CancelReason reason) noexcept : token_(std::move(token)), reason_(reason) {}
    void operator()() const noexcept { token_.cancel(reason_); }

   private:
    CancellationToken token_;
    CancelReason reason_;
  };

  CancellationToken token_;
  std::stop_callback<Cancel> callback_;
};

}  // namespace skua
