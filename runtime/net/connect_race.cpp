// TcpStream::connect() to several addresses: attempts that start one after the other and run side by side.
#include <skua/net/tcp_stream.hpp>
#include <skua/time/sleep.hpp>
#include <skua/time/timeout.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace skua {

namespace {

// The families take turns, so that one whose network is broken does not hold up the other.
std::vector<SocketAddress> interleave_families(const std::vector<SocketAddress>& addresses) {
  if (addresses.empty()) return {};
  std::vector<SocketAddress> result;
  auto next_first = addresses.begin();
  auto next_other = addresses.begin();
  const int first_family = addresses.front().family();
  const auto take = [&](auto& next, bool is_first) {
    next = std::find_if(next, addresses.end(),
                        [&](const SocketAddress& address) { return (address.family() == first_family) == is_first; });
    if (next != addresses.end()) result.push_back(*next++);
  };
  while (result.size() < addresses.size()) {
    take(next_first, true);
    take(next_other, false);
  }
  return result;
}

Task<Result<TcpStream>> attempt(SocketAddress address, Duration limit) {
  co_return co_await timeout(limit, TcpStream::connect(address));
}

class ConnectRace {
 public:
  ConnectRace(std::vector<SocketAddress> addresses, ConnectOptions options)
      : addresses_(std::move(addresses)), options_(options) {}

  Poll<Result<TcpStream>> poll(Context& context) {
    for (;;) {
      if (running_.empty() && next_ == addresses_.size()) return Result<TcpStream>(failure());
      if (is_next_due(context)) start_next();
      if (auto won = poll_attempts(context)) return Result<TcpStream>(*std::move(won));
      if (!running_.empty() && !is_next_due(context)) return pending;
    }
  }

 private:
  struct Attempt {
    Attempt(SocketAddress to, Duration limit) : address(to), connection(attempt(to, limit)) {}
    SocketAddress address;
    Task<Result<TcpStream>> connection;
  };

  bool is_next_due(Context& context) {
    if (next_ == addresses_.size()) return false;
    if (until_next_ && until_next_->poll_without_budget(context).is_pending()) return false;
    until_next_.reset();
    return true;
  }

  void start_next() {
    const SocketAddress address = addresses_[next_++];
    running_.push_back(std::make_unique<Attempt>(address, options_.attempt_timeout));
    until_next_.emplace(saturating_add(Clock::now(), options_.stagger));
  }

  // A failure makes the next one due at once.
  std::optional<TcpStream> poll_attempts(Context& context) {
    for (std::size_t i = 0; i < running_.size();) {
      auto result = running_[i]->connection.poll(context);
      if (result.is_pending()) {
        ++i;
        continue;
      }
      if (result.value()) return *std::move(result).take();
      note_failure(running_[i]->address, result.value().error());
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      until_next_.reset();
    }
    return std::nullopt;
  }

  void note_failure(const SocketAddress& address, const Error& error) {
    if (last_code_) failures_ += " (" + last_code_.message() + "), ";
    failures_ += address.to_string();
    last_code_ = error.code();
  }
  // "connect 10.0.0.1:80 (Connection refused), [::1]:80: Connection timed out"
  Error failure() const {
    if (addresses_.empty()) return Error(std::errc::invalid_argument, "connect", "no address");
    return Error(last_code_, "connect", failures_);
  }

  const std::vector<SocketAddress> addresses_;
  const ConnectOptions options_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Attempt>> running_;
  std::optional<Sleep> until_next_;
  std::string failures_;
  std::error_code last_code_;
};

}  // namespace

Task<Result<TcpStream>> TcpStream::connect(std::vector<SocketAddress> addresses, ConnectOptions options) {
  ConnectRace race(interleave_families(addresses), options);
  co_return co_await race;
}

}  // namespace skua
