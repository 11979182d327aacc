// What the runtime does for itself: it sleeps, is woken, watches descriptors, submits requests to a ring and takes its
// completions. Most of it is nobody's operation, so that nobody hears of a fault, and everything goes on.
#include "fault_case.hpp"
#include "peer.hpp"
#include "tasks.hpp"

#include <array>
#include <list>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

std::vector<Fault> errors(std::initializer_list<int> numbers) {
  std::vector<Fault> faults;
  for (const int number : numbers) faults.emplace_back(Fault::Kind::error, number);
  return faults;
}
std::vector<Fault> operator+(std::vector<Fault> left, std::initializer_list<Fault> right) {
  left.insert(left.end(), right);
  return left;
}
const Fault zero(Fault::Kind::zero);
const Fault delay(Fault::Kind::delay, 0, 0, 3ms);

// --- Sleeping and being woken: by time, by a descriptor, by another thread

Task<> turns(Bench& bench) {
  const EchoPeer peer;
  TcpStream stream = co_await connect_to(peer.address());
  bench.start_faults();
  for (int i = 0; i < 10; ++i) {
    const Instant begin = now();
    co_await sleep(1ms);
    bench.expect(now() - begin >= 1ms, "a timer is early");
    const Result<void> echoed = co_await echoes(stream);
    bench.note(echoed);
    Gate gate;
    std::thread other([&gate] {
      std::this_thread::sleep_for(200us);
      gate.open();
    });
    co_await gate.wait();
    other.join();
  }
  bench.finish();
}

// Nobody else turns the driver of a worker that is stuck but the reactor thread.
Task<> waits_beside_a_stuck_task(Bench& bench) {
  const EchoPeer peer;
  TcpStream stream = co_await connect_to(peer.address());
  bench.start_faults();
  auto reads = [](TcpStream& from) -> Task<Result<std::size_t>> {
    std::array<char, 4> buffer;
    co_return co_await from.read(buffer);
  };
  auto reader = spawn(reads(stream));
  co_await sleep(1ms);
  while (bench.plan().delivered() == 0) std::this_thread::sleep_for(1ms);  // stuck; the watchdog limits it
  const Result<void> sent = co_await stream.write_all("ping");
  bench.note(sent);
  const auto received = (co_await reader).value();
  if (bench.note(received)) bench.expect(*received > 0, "nothing was read");
  bench.finish();
}

// --- Watching: eight connections, each of which waits once, and all of which stay open until the end

// Accepted ones: the driver knows those that were connected already.
Task<> watches(Bench& bench) {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  std::list<TcpStream> streams;
  std::list<Descriptor> peers;
  std::vector<int> fds;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(connect_peer(listener.local_address().value()));
    streams.push_back((co_await listener.accept()).value().stream);
    fds.push_back(streams.back().socket().native_handle());
  }
  // A submission is no descriptor's.
  bench.start_faults(bench.call() == Call::ring_submit ? std::vector<int>() : fds);
  auto peer = peers.begin();
  for (TcpStream& stream : streams) {
    std::array<char, 8> buffer;
    for (bool is_sent = false; !bench.gives_up();) {
      auto first = co_await select(stream.read(buffer), sleep(1ms));
      if (first.index() == 0) {
        const Result<std::size_t> count = std::get<0>(first);
        if (!bench.note(count)) continue;
        bench.expect(is_sent && *count == 4, "what was read was not sent");
        break;
      }
      if (!std::exchange(is_sent, true)) send_from(*peer, "ping");
    }
    ++peer;
  }
  if (!bench.gives_up()) bench.finish();
}

Task<> stops_watching(Bench& bench) {
  PeerListener listener;
  std::list<TcpStream> streams;
  std::list<Descriptor> peers;
  for (int i = 0; i < 8; ++i) {
    streams.push_back(co_await connect_to(listener.address()));
    peers.push_back(listener.accept());
    std::array<char, 8> buffer;
    const auto first = co_await select(streams.back().read(buffer), sleep(100us));
    bench.expect(first.index() == 1, "a read is ready with nothing");
  }
  bench.start_faults();
  for (const Descriptor& peer : peers) {
    streams.pop_front();
    auto ended = [&peer] { return sees_the_end(peer); };
    bench.expect(co_await comes_true(ended), "the peer does not see that the connection is closed");
  }
  bench.finish();
}

}  // namespace

std::vector<OperationUnderTest> driver_operations() {
  const std::vector<Fault> of_a_wait =
      errors({EINTR, EAGAIN, EBUSY, ETIME, EBADR, ENOMEM, ECANCELED, EIO}) + std::initializer_list<Fault>{zero, delay};
  const auto nobody_hears = Answer::as_if_nothing_happened;
  return {
      {.name = "epoll_wait",
       .call = Call::epoll_wait,
       .reported_as = "",
       .run = &turns,
       .zero = nobody_hears,
       .faults = of_a_wait,
       .only_on = Backend::epoll},
      {.name = "ring_wait",
       .call = Call::ring_wait,
       .reported_as = "",
       .run = &turns,
       .zero = nobody_hears,
       .faults = of_a_wait,
       .only_on = Backend::io_uring},
      {.name = "ring_submit",
       .call = Call::ring_submit,
       .reported_as = "",
       .run = &watches,
       .transfers = true,
       .zero = nobody_hears,
       .later_to = 8,
       .faults = errors({EINTR, EAGAIN, EBUSY, EBADR, ENOMEM}) +
                 std::initializer_list<Fault>{zero, delay, Fault(Fault::Kind::short_count, 0, 1),
                                              Fault(Fault::Kind::all_but, 0, 1)},
       .only_on = Backend::io_uring},
      {.name = "ring_submit_of_a_cancellation",
       .call = Call::ring_submit,
       .reported_as = "",
       .run = &stops_watching,
       .transfers = true,
       .zero = nobody_hears,
       .faults = errors({EINTR, EAGAIN, EBUSY, EBADR, ENOMEM}) +
                 std::initializer_list<Fault>{zero, delay, Fault(Fault::Kind::short_count, 0, 1),
                                              Fault(Fault::Kind::all_but, 0, 1)},
       .only_on = Backend::io_uring},
      {.name = "ring_completion",
       .call = Call::ring_completion,
       .reported_as = "",
       .run = &turns,
       .faults = {Fault(Fault::Kind::end_of_multishot), Fault(Fault::Kind::last), Fault(Fault::Kind::lost), delay,
                  Fault(Fault::Kind::error, ECANCELED)},
       .only_on = Backend::io_uring},
      {.name = "ring_poll_request",
       .call = Call::ring_request,
       .reported_as = "watch the descriptor",
       .run = &watches,
       .retried = {ECANCELED},  // whoever submitted it has ended; it was not asked for
       .faults = errors({ENOMEM, EBADF, EINVAL, EIO, ENOSPC, ECANCELED}),
       .only_on = Backend::io_uring},
      {.name = "epoll_ctl_add",
       .call = Call::epoll_ctl,
       .reported_as = "watch the descriptor",
       .run = &watches,
       .retried = {},
       .faults = errors({ENOMEM, EBADF, EINVAL, EIO, ENOSPC, EPERM, ELOOP}) + std::initializer_list<Fault>{delay},
       .only_on = Backend::epoll},
      {.name = "epoll_ctl_delete",
       .call = Call::epoll_ctl,
       .reported_as = "",
       .run = &stops_watching,
       .faults = errors({ENOMEM, EBADF, EINVAL, ENOENT}) + std::initializer_list<Fault>{delay},
       .only_on = Backend::epoll},
      {.name = "eventfd_signal",
       .call = Call::eventfd_signal,
       .reported_as = "",
       .run = &turns,
       .faults = errors({EINTR}) + std::initializer_list<Fault>{delay},
       .only_in = ReactorMode::workers},
      {.name = "harvest",
       .call = Call::poll_now,
       .reported_as = "",
       .run = &waits_beside_a_stuck_task,
       .faults = errors({EINTR, EAGAIN, ENOMEM, EINVAL}) + std::initializer_list<Fault>{delay},
       .only_on = Backend::io_uring,  // the set-up whose stuck worker has a colleague
       .only_in = ReactorMode::workers},
  };
}

}  // namespace skua::tests
