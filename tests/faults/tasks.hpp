// Tasks that several tables use.
#pragma once

#include <skua/skua.hpp>

#include "peer.hpp"

#include <array>
#include <chrono>

namespace skua::tests {

inline Task<TcpStream> connect_to(SocketAddress address) { co_return (co_await TcpStream::connect(address)).value(); }

/// Sends to a peer that echoes, and reads the answer.
inline Task<Result<void>> echoes(TcpStream& stream) {
  co_await try_(stream.write_all("ping"));
  std::array<char, 4> answer;
  for (std::size_t done = 0; done < answer.size();) {
    const std::size_t n = co_await try_(stream.read({answer.data() + done, answer.size() - done}));
    if (n == 0) co_return Error(std::errc::connection_aborted, "echo");
    done += n;
  }
  co_return {};
}

/// As eventually(), without blocking: the worker may have to do what is waited for.
template <class Condition>
Task<bool> comes_true(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) co_return true;
    co_await sleep(std::chrono::milliseconds(1));
  }
  co_return condition();
}

}  // namespace skua::tests
