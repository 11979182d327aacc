#include <skua/control/control_pages.hpp>
#include <skua/control/control_server.hpp>
#include <skua/control/http.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/log.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

namespace skua {

namespace {

constexpr std::size_t most_connections = 16;
constexpr Duration request_within = std::chrono::seconds(5);
constexpr Duration reply_within = std::chrono::seconds(10);
constexpr Duration drained_within = std::chrono::seconds(1);
constexpr Duration pause_after_failure = std::chrono::milliseconds(100);

bool is_temporary(ssize_t result) noexcept { return result == -EAGAIN || result == -EINTR; }

bool is_loopback(std::string_view host) noexcept { return host == "localhost" || host == "127.0.0.1" || host == "::1"; }

// Rounded up, so that a deadline has passed when poll() returns.
int milliseconds_until(Instant deadline, Instant now) noexcept {
  if (deadline == Instant::max()) return -1;
  if (deadline <= now) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count());
}

}  // namespace

struct ControlServer::Connection {
  enum class State { receives, sends, drains, done };

  Connection(OwnedFd accepted, Instant until) noexcept : fd(std::move(accepted)), deadline(until) {}

  OwnedFd fd;
  Instant deadline;
  State state = State::receives;
  std::string received;
  std::string reply;
  std::size_t sent = 0;

  short events() const noexcept { return state == State::sends ? POLLOUT : POLLIN; }
};

ControlServer::ControlServer(ControlListener listener, OwnedFd wake, RuntimeCore& core)
    : core_(core), wake_(std::move(wake)), listener_(std::move(listener)) {
  thread_ = seam::Thread("skua-control", [this] { run(); });
}

ControlServer::~ControlServer() { SKUA_ASSERT(!thread_.joinable()); }

Result<std::unique_ptr<ControlServer>> ControlServer::start(const ControlAddress& address, RuntimeCore& core) {
  auto listener = ControlListener::listen(address);
  if (!listener) return std::move(listener).error();
  OwnedFd wake(kernel::eventfd());
  if (!wake) return system_error(-wake.get(), "eventfd");
  return std::unique_ptr<ControlServer>(new ControlServer(*std::move(listener), std::move(wake), core));
}

void ControlServer::stop() {
  is_stopping_.store(true, std::memory_order_relaxed);  // relaxed: the eventfd orders it
  kernel::eventfd_signal(wake_.get());
  thread_.join();
}

bool ControlServer::is_full() const noexcept { return connections_.size() >= most_connections; }

void ControlServer::run() {
  std::vector<pollfd> asked;
  while (!is_stopping_.load(std::memory_order_relaxed)) {  // relaxed: see stop()
    const Instant before = seam::now();
    Instant deadline = Instant::max();
    const bool listens = !is_full() && accept_again_ <= before;
    if (!listens && !is_full()) deadline = accept_again_;
    asked = {{wake_.get(), POLLIN, 0}, {listens ? listener_.fd() : -1, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      asked.push_back({connection.fd.get(), connection.events(), 0});
      deadline = std::min(deadline, connection.deadline);
    }
    const int result = kernel::poll(asked.data(), asked.size(), milliseconds_until(deadline, before));
    if (result < 0 && result != -EINTR) kernel::sleep(pause_after_failure);  // no memory
    const Instant now = seam::now();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (asked[i + 2].revents != 0 || connections_[i].deadline <= now) serve(connections_[i], now);
    }
    std::erase_if(connections_, [](const Connection& one) { return one.state == Connection::State::done; });
    if (asked[1].revents != 0) accept(now);
  }
}

void ControlServer::accept(Instant now) {
  while (!is_full()) {
    auto peer = listener_.accept();
    if (peer) {
      connections_.emplace_back(*std::move(peer), now + request_within);
    } else if (peer.error() == std::errc::permission_denied) {
      if (!std::exchange(has_warned_, true)) {
        log(LogLevel::warning, "control endpoint: " + peer.error().message() + " (hung up; said once)");
      }
    } else {
      // ECONNABORTED and its like mean the next; a shortage, later.
      if (peer.error() != std::errc::resource_unavailable_try_again) accept_again_ = now + pause_after_failure;
      return;
    }
  }
}

void ControlServer::serve(Connection& connection, Instant now) {
  const bool is_late = connection.deadline <= now;
  switch (connection.state) {
    case Connection::State::receives: is_late ? respond(connection, now) : receive(connection, now); return;
    case Connection::State::sends:
      if (is_late) connection.state = Connection::State::done;
      return send(connection, now);
    case Connection::State::drains:
      if (is_late) connection.state = Connection::State::done;
      return drain(connection);
    case Connection::State::done: return;
  }
}

void ControlServer::receive(Connection& connection, Instant now) {
  std::array<char, 2048> buffer;
  const ssize_t count = kernel::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (is_temporary(count)) return;
  if (count <= 0) {
    connection.state = Connection::State::done;
    return;
  }
  connection.received.append(buffer.data(), static_cast<std::size_t>(count));
  if (parse_request(connection.received).outcome != HttpParse::Outcome::need_more) respond(connection, now);
}

void ControlServer::respond(Connection& connection, Instant now) {
  const bool is_late = connection.deadline <= now;
  try {
    connection.reply = reply_to(connection.received, is_late);
  } catch (const std::exception& error) {  // of memory
    connection.reply = refusal(500, error.what()).serialize(false);
  }
  connection.state = Connection::State::sends;
  connection.deadline = now + reply_within;
  send(connection, now);
}

std::string ControlServer::reply_to(std::string_view received, bool is_late) const {
  const HttpParse parse = parse_request(received);
  if (parse.outcome == HttpParse::Outcome::refused) return refusal(parse.status, "").serialize(false);
  if (is_late) return refusal(408, "no whole request came in time").serialize(false);
  const bool is_unix = listener_.address().kind == ControlAddress::Kind::unix_socket;
  if (!is_unix && !is_loopback(parse.request.host)) {
    return refusal(403, "the Host header must name 127.0.0.1, [::1] or localhost").serialize(parse.request.is_head);
  }
  const bool is_ending = is_ending_.load(std::memory_order_relaxed);  // relaxed: see announce_end()
  return answer(parse.request, core_, is_ending).serialize(parse.request.is_head);
}

void ControlServer::send(Connection& connection, Instant now) {
  if (connection.state != Connection::State::sends) return;
  while (connection.sent < connection.reply.size()) {
    const ssize_t count = kernel::send(connection.fd.get(), connection.reply.data() + connection.sent,
                                       connection.reply.size() - connection.sent, MSG_NOSIGNAL);
    if (is_temporary(count)) return;
    if (count <= 0) {
      connection.state = Connection::State::done;
      return;
    }
    connection.sent += static_cast<std::size_t>(count);
  }
  // Closed now, with something of the request unread, the connection would be reset, and the reply lost with it.
  kernel::shutdown(connection.fd.get(), SHUT_WR);
  connection.state = Connection::State::drains;
  connection.deadline = now + drained_within;
}

void ControlServer::drain(Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t count = kernel::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0 && !is_temporary(count)) connection.state = Connection::State::done;
}

}  // namespace skua
