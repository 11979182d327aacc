// Runs of what every stream does, of whatever kind: see OperationUnderTest::run.
//
// `Link::make()` is a Task that is ready with a Linked: the end under test, and a descriptor of the test's own that is
// the other end.
#pragma once

#include "fault_case.hpp"
#include "peer.hpp"

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace skua::tests {

template <class Stream>
struct Linked {
  Linked(Stream end, Descriptor other) noexcept : stream(std::move(end)), peer(std::move(other)) {}
  Stream stream;
  Descriptor peer;
};

template <class Stream>
int fd_of(const Stream& stream) {
  if constexpr (requires { stream.socket(); }) {
    return stream.socket().native_handle();
  } else {
    return stream.native_handle();
  }
}

constexpr std::size_t piece = 64;
constexpr std::size_t pieces = 12;
using PieceBuffer = std::array<char, piece>;

struct ReadOne {
  template <class Stream>
  auto operator()(Stream& stream, PieceBuffer& into) const {
    return stream.read(into);
  }
};
struct ReadTwoParts {
  template <class Stream>
  auto operator()(Stream& stream, PieceBuffer& into) {
    parts = {iovec{into.data(), 10}, iovec{into.data() + 10, into.size() - 10}};
    return stream.read_vectored(parts);
  }
  std::array<iovec, 2> parts;
};
struct WriteOne {
  template <class Stream>
  auto operator()(Stream& stream, PieceBuffer& from) const {
    return stream.write(from);
  }
};
struct WriteTwoParts {
  template <class Stream>
  auto operator()(Stream& stream, PieceBuffer& from) {
    parts = {iovec{from.data(), 10}, iovec{from.data() + 10, from.size() - 10}};
    return stream.write_vectored(parts);
  }
  std::array<iovec, 2> parts;
};

inline void check_bytes(Bench& bench, const char* bytes, std::size_t count, std::size_t position) {
  for (std::size_t i = 0; i < count; ++i) {
    if (bytes[i] != byte_at(position + i)) return bench.note_lie("a byte is not the one that was sent");
  }
}

inline PieceBuffer bytes_from(std::size_t position) {
  PieceBuffer bytes;
  for (std::size_t i = 0; i < piece; ++i) bytes[i] = byte_at(position + i);
  return bytes;
}

/// A peer sends pieces, each when the ones before have been read, or when a fault has been delivered.
template <class Link, class Read>
Task<> reads(Bench& bench) {
  auto link = co_await Link::make();
  Pace pace(bench.plan());
  bench.start_faults(fd_of(link.stream));
  const SendingPeer peer(std::move(link.peer), pace, pieces, piece);
  PieceBuffer buffer;
  Read read;
  for (std::size_t total = 0; total < pieces * piece && !bench.gives_up();) {
    const Result<std::size_t> count = co_await read(link.stream, buffer);
    if (!bench.note(count)) continue;
    if (*count == 0) {
      bench.note_end();
      continue;
    }
    check_bytes(bench, buffer.data(), *count, total);
    total += *count;
    pace.done(*count);
  }
  if (!bench.gives_up()) bench.finish();
}

/// A peer checks what comes, and has the kernel report the writing end anew when a fault has been delivered.
template <class Link, class Write>
Task<> writes(Bench& bench) {
  auto link = co_await Link::make();
  bench.start_faults(fd_of(link.stream));
  const ReceivingPeer peer(std::move(link.peer), fd_of(link.stream), bench.plan());
  Write write;
  std::size_t total = 0;
  while (total < pieces * piece && !bench.gives_up()) {
    PieceBuffer bytes = bytes_from(total);
    const Result<std::size_t> count = co_await write(link.stream, bytes);
    if (bench.note(count)) total += *count;
  }
  bench.expect(peer.has_received(total), "what was written is not what has arrived");
  if (!bench.gives_up()) bench.finish();
}

/// After an error an unknown part has been written: a beginning of the block.
template <class Link>
Task<> writes_all(Bench& bench) {
  auto link = co_await Link::make();
  bench.start_faults(fd_of(link.stream));
  const ReceivingPeer peer(std::move(link.peer), fd_of(link.stream), bench.plan());
  std::size_t total = 0;
  while (total < pieces * piece && !bench.has_failed()) {
    const PieceBuffer bytes = bytes_from(total);
    const Result<void> done = co_await link.stream.write_all(bytes);
    if (bench.note(done)) total += piece;
  }
  if (bench.has_failed()) {
    bench.expect(eventually([&] { return peer.received() >= total; }) && peer.all_bytes_were_good(),
                 "what was written before the error has not arrived");
  } else {
    bench.expect(peer.has_received(total), "what was written is not what has arrived");
  }
  bench.finish();
}

/// Peers connect, each when the one before has been accepted, or when a fault has been delivered. `Accepting` has the
/// `listener`, connect() for a peer, and is_right() for what accept() is ready with.
template <class Accepting>
Task<> accepts(Bench& bench) {
  constexpr int connections = 8;
  Accepting accepting;
  Pace pace(bench.plan());
  bench.start_faults(fd_of(accepting.listener));
  std::thread peers([&] {
    std::vector<Descriptor> open;
    for (std::size_t i = 0; i < connections; ++i) {
      pace.wait(i);
      if (pace.is_stopped()) return;
      open.push_back(accepting.connect());
    }
    while (!pace.is_stopped()) std::this_thread::sleep_for(std::chrono::microseconds(100));
  });
  for (int accepted = 0; accepted < connections && !bench.gives_up();) {
    const Result<typename Accepting::Connection> one = co_await accepting.listener.accept();
    if (!bench.note(one)) continue;
    bench.expect(Accepting::is_right(*one), "the peer is not the one that has connected");
    ++accepted;
    pace.done(1);
  }
  pace.stop();
  peers.join();
  if (!bench.gives_up()) bench.finish();
}

}  // namespace skua::tests
