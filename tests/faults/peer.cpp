#include "peer.hpp"

#include "../support/probe.hpp"
#include "announce.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

namespace skua::tests {

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

Descriptor make_socket() { return Descriptor(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")); }

// On a thread of the test's own: who writes to a pipe without a reader gets a signal, which stays pending.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// The other side may be gone already.
void write_all(int fd, const char* data, std::size_t size) noexcept {
  while (size != 0) {
    const ssize_t count = ::write(fd, data, size);
    if (count < 0) return;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

// A short piece goes as a whole.
void pass(int fd, std::span<char> piece, int passed) noexcept {
  iovec bytes{.iov_base = piece.data(), .iov_len = piece.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof passed)> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const cmsghdr header{.cmsg_len = CMSG_LEN(sizeof passed), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  std::memcpy(control.data(), &header, sizeof header);
  std::memcpy(control.data() + CMSG_LEN(0), &passed, sizeof passed);
  static_cast<void>(::sendmsg(fd, &message, MSG_NOSIGNAL));
}

}  // namespace

void Descriptor::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

PeerListener::PeerListener() : fd_(make_socket()) {
  const SocketAddress any = SocketAddress::loopback(0);
  checked(::bind(fd_.get(), any.native(), any.native_size()), "bind");
  checked(::listen(fd_.get(), 64), "listen");
  NativeAddress native;
  checked(::getsockname(fd_.get(), native.pointer(), &native.size), "getsockname");
  address_ = SocketAddress::from_native(native);
}

Descriptor PeerListener::accept() { return Descriptor(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

void PeerListener::stop() noexcept { ::shutdown(fd_.get(), SHUT_RDWR); }

Descriptor connect_peer(const SocketAddress& address) {
  Descriptor socket = make_socket();
  checked(::connect(socket.get(), address.native(), address.native_size()), "connect");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void send_from(const Descriptor& peer, std::string_view text) noexcept {
  static_cast<void>(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

bool sees_the_end(const Descriptor& peer) noexcept {
  char byte = 0;
  return ::recv(peer.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

void Pace::wait(std::size_t sent) {
  while (!is_stopped_ && done_ < sent) {
    const int faults = plan_.delivered();
    if (std::exchange(faults_seen_, faults) != faults) return;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

SendingPeer::SendingPeer(Descriptor fd, Pace& pace, std::size_t pieces, std::size_t size, int passed)
    : fd_(std::move(fd)), pace_(pace), thread_([this, pieces, size, passed] {
        block_sigpipe();
        std::vector<char> piece(size);
        for (std::size_t i = 0; i < pieces && !pace_.is_stopped(); ++i) {
          for (std::size_t k = 0; k < size; ++k) piece[k] = byte_at(i * size + k);
          pace_.wait(i * size);
          if (passed < 0) {
            write_all(fd_.get(), piece.data(), piece.size());
          } else {
            pass(fd_.get(), piece, passed);
          }
        }
      }) {}

SendingPeer::~SendingPeer() {
  pace_.stop();
  thread_.join();
}

ReceivingPeer::ReceivingPeer(Descriptor fd, int sender, const FaultPlan& plan)
    : fd_(std::move(fd)), thread_([this, sender, &plan] { run(sender, plan); }) {}

ReceivingPeer::~ReceivingPeer() {
  is_stopped_ = true;
  thread_.join();
}

void ReceivingPeer::run(int sender, const FaultPlan& plan) {
  int faults = 0;
  std::array<char, 8192> buffer;
  while (!is_stopped_) {
    if (const int now = plan.delivered(); std::exchange(faults, now) != now) announce_readiness(sender);
    pollfd readable{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 1) <= 0) continue;
    const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    for (ssize_t i = 0; i < count; ++i) {
      if (buffer[static_cast<std::size_t>(i)] != byte_at(received_ + static_cast<std::size_t>(i))) is_good_ = false;
    }
    received_ += static_cast<std::size_t>(count);
  }
}

bool ReceivingPeer::has_received(std::size_t bytes) const {
  return eventually([&] { return received_ >= bytes; }) && is_good_ && received_ == bytes;
}

EchoPeer::EchoPeer() : thread_([this] { run(); }) {}

EchoPeer::~EchoPeer() {
  listener_.stop();
  thread_.join();
}

void EchoPeer::run() {
  std::vector<Descriptor> sockets;
  std::vector<std::thread> connections;
  for (;;) {
    sockets.push_back(listener_.accept());
    const int fd = sockets.back().get();
    if (fd < 0) break;
    connections.emplace_back([fd] {
      block_sigpipe();
      std::array<char, 256> buffer;
      for (;;) {
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count <= 0) return;
        write_all(fd, buffer.data(), static_cast<std::size_t>(count));
      }
    });
  }
  // Not by waiting for the ends of the connections: whoever destroys us may be who has to close them.
  for (const Descriptor& socket : sockets) ::shutdown(socket.get(), SHUT_RDWR);
  for (std::thread& connection : connections) connection.join();
}

}  // namespace skua::tests
