// TcpOptions: the options that TCP sockets have before, while and after they connect or listen.
#pragma once

#include <skua/net/socket_options.hpp>

#include <chrono>
#include <optional>

namespace skua {

/// When the kernel asks a silent peer whether it is still there, and when it gives the connection up.
struct KeepaliveOptions {
  KeepaliveOptions() = default;
  std::chrono::seconds idle{60};      // silence before the first question
  std::chrono::seconds interval{10};  // between questions
  int count = 6;                      // unanswered questions that end the connection: timed_out
};

class TcpOptions : public IpOptions {
 public:
  /// TCP_NODELAY: small writes are sent at once.
  Result<void> set_nodelay(bool on);
  Result<bool> nodelay() const;
  /// SO_KEEPALIVE, with the system's times (two hours) or with these.
  Result<void> set_keepalive(bool on);
  Result<void> set_keepalive(const KeepaliveOptions& options);
  Result<bool> keepalive() const;
  Result<KeepaliveOptions> keepalive_options() const;
  /// SO_LINGER, in whole seconds: 0 resets the connection on close; none is the default. More than 0 makes the close
  /// block the thread that drops the socket: prefer shutdown() and a read to the end.
  Result<void> set_linger(std::optional<std::chrono::seconds> linger);
  Result<std::optional<std::chrono::seconds>> linger() const;
  /// TCP_QUICKACK: acknowledge at once; the kernel may fall back to delaying by itself.
  Result<void> set_quickack(bool on);
  Result<bool> quickack() const;
  /// TCP_USER_TIMEOUT: how long sent data may stay unacknowledged before the connection fails with timed_out. Zero:
  /// the system's, some 15 minutes.
  Result<void> set_user_timeout(std::chrono::milliseconds limit);
  Result<std::chrono::milliseconds> user_timeout() const;

 protected:
  using IpOptions::IpOptions;
};

}  // namespace skua
