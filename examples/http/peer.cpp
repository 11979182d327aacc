#include "http/peer.hpp"

#include <string_view>

namespace http {
namespace {

constexpr std::size_t kept_capacity = 128 * 1024;  // an output buffer that has grown beyond is given back
constexpr std::size_t most_drained = 256 * 1024;

}  // namespace

skua::Task<Received> Peer::receive(std::span<char> room, std::size_t& count) {
  const auto result = co_await Before(receiving_, stream_.read(room));
  count = result ? *result : 0;
  if (count > 0) co_return Received::bytes;
  co_return !result && result.error() == std::errc::timed_out ? Received::nothing_in_time : Received::end;
}

skua::Task<bool> Peer::send(std::string& output) {
  std::string_view rest = output;
  while (!rest.empty()) {
    sending_.restart(timeouts_.write);
    const auto written = co_await Before(sending_, stream_.write(rest));
    if (!written) co_return false;
    rest.remove_prefix(*written);
  }
  output.clear();
  if (output.capacity() > kept_capacity) std::string().swap(output);
  co_return true;
}

skua::Task<> Peer::part(std::span<char> scratch) {
  if (!stream_.shutdown(skua::Shutdown::write)) co_return;
  expect(timeouts_.drain);
  std::size_t count = 0;
  for (std::size_t drained = 0; drained < most_drained; drained += count) {
    const Received received = co_await receive(scratch, count);
    if (received != Received::bytes) co_return;
  }
}

}  // namespace http
