// A client and a server over TCP that take turns: something that descriptors are needed for.
#pragma once

#include <skua/skua.hpp>

#include <array>
#include <string_view>

namespace skua::tests {

inline Task<Result<void>> answer_pings(TcpListener& listener, int rounds) {
  Accepted accepted = co_await try_(listener.accept());
  std::array<char, 1> byte{};
  for (int i = 0; i < rounds; ++i) {
    co_await try_(read_exact(accepted.stream, byte));
    co_await try_(accepted.stream.write_all(std::string_view("b")));
  }
  co_return {};
}

/// `rounds`, when so many pings have been answered. Calls `between(round)`, if there is one, after each.
inline Task<Result<int>> pings(int rounds, void (*between)(int) = nullptr) {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::parse("127.0.0.1:0").value()));
  auto server = spawn(answer_pings(listener, rounds));
  TcpStream client = co_await try_(TcpStream::connect(co_await try_(listener.local_address())));
  std::array<char, 1> byte{};
  for (int i = 0; i < rounds; ++i) {
    co_await try_(client.write_all(std::string_view("a")));
    co_await try_(read_exact(client, byte));
    if (between != nullptr) between(i);
  }
  co_await try_((co_await server).value());
  co_return rounds;
}

}  // namespace skua::tests
