// The ring seam's functions, each of which asks the plan and then calls the real one.
//
// What happens to a request is decided when it is submitted: one that fails becomes a no-operation, whose completion
// gets the error, so that nothing has been done. What happens to a completion is decided when it is taken out of the
// queue. An end of a multishot request is real: the request is cancelled, and its own last completion is swallowed. A
// late completion is posted to its ring again, from another ring (MSG_RING), and so arrives as any other does.
#include "announce.hpp"
#include "fault_plan.hpp"
#include "late_completions.hpp"
#include "real_ring.hpp"

#include <skua/reactor/ring.hpp>

#include <liburing.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>
#include <vector>

namespace skua::reactor::ring {

namespace {

using tests::Call;
using tests::Fault;
using tests::FaultPlan;
using tests::Kinds;
using tests::LateCompletions;

constexpr Kinds of_any_call(Fault::Kind::error, Fault::Kind::delay);
constexpr Kinds of_a_wait(Fault::Kind::error, Fault::Kind::delay, Fault::Kind::zero);
constexpr Kinds of_submit(Fault::Kind::error, Fault::Kind::delay, Fault::Kind::zero, Fault::Kind::short_count,
                          Fault::Kind::all_but);
constexpr Kinds of_a_request(Fault::Kind::error, Fault::Kind::short_count, Fault::Kind::all_but);
constexpr Kinds of_a_completion(Fault::Kind::delay, Fault::Kind::last);
constexpr Kinds of_a_multishot_completion(Fault::Kind::delay, Fault::Kind::last, Fault::Kind::error,
                                          Fault::Kind::end_of_multishot, Fault::Kind::lost);

bool is_final(const Completion& completion) noexcept { return (completion.flags & IORING_CQE_F_MORE) == 0; }

/// What is known of a ring's requests that have not been completed.
struct Requests {
  struct Request {
    int fd = -1;
    bool polls = false;
    int error = 0;  // its completion gets this one
  };
  std::map<std::uint64_t, Request> by_user_data;
  std::vector<std::uint64_t> ended;  // their own last completions are still to come, and are swallowed
  bool has_lost_some = false;        // and has not said so
  unsigned examined = 0;             // entries of the submission queue before this one have met their fate
};

seam::Mutex mutex;
std::map<int, Requests> rings SKUA_GUARDED_BY(mutex);  // by the ring's descriptor

template <class Real>
int faulty(Call call, int fd, const Kinds& possible, Real real) noexcept {
  const Fault fault = FaultPlan::consult(call, fd, possible);
  if (fault.kind == Fault::Kind::error) return -fault.error;
  if (fault.kind == Fault::Kind::zero) return 0;
  if (fault.kind == Fault::Kind::delay) std::this_thread::sleep_for(fault.delay);
  return real();
}

void examine(Requests& requests, io_uring_sqe& entry) {
  const Fault fault = FaultPlan::consult(Call::ring_request, entry.fd, of_a_request);
  Requests::Request request{.fd = entry.fd, .polls = entry.opcode == IORING_OP_POLL_ADD};
  if (fault.kind == Fault::Kind::short_count) entry.len = std::min(entry.len, static_cast<unsigned>(fault.count));
  if (fault.kind == Fault::Kind::all_but) entry.len -= std::min(entry.len, static_cast<unsigned>(fault.count));
  if (fault.kind == Fault::Kind::error) {
    request.error = fault.error;
    const auto user_data = entry.user_data;
    io_uring_prep_nop(&entry);
    entry.user_data = user_data;
  }
  requests.by_user_data[entry.user_data] = request;
}

void examine_new(const io_uring& ring) {
  const seam::Lock lock(mutex);
  Requests& requests = rings[ring.ring_fd];
  for (; requests.examined != ring.sq.sqe_tail; ++requests.examined) {
    examine(requests, ring.sq.sqes[requests.examined & *ring.sq.kring_mask]);
  }
}

// How many of `ready` requests the kernel is to take.
unsigned share_of(const Fault& fault, unsigned ready) noexcept {
  if (fault.kind == Fault::Kind::short_count) return std::min(ready, static_cast<unsigned>(fault.count));
  if (fault.kind == Fault::Kind::all_but) return ready - std::min(ready, static_cast<unsigned>(fault.count));
  return ready;
}

// Any thread of ours may do it that may submit.
void really_end(io_uring& ring, std::uint64_t user_data) noexcept {
  io_uring_sync_cancel_reg request{};
  request.addr = user_data;
  request.fd = -1;
  request.timeout.tv_sec = request.timeout.tv_nsec = -1;
  // Not found: it has ended already, and its last completion is on its way.
  io_uring_register_sync_cancel(&ring, &request);
  // Done only when the kernel has run what it owes to the ring's owner, who is the caller.
  real_ring::fetch(ring);
}

bool says_that_some_were_lost(const io_uring& ring) {
  const seam::Lock lock(mutex);
  const auto found = rings.find(ring.ring_fd);
  return found != rings.end() && std::exchange(found->second.has_lost_some, false);
}

enum class Fate { arrives, arrives_last, stays_away };

Fate decide(io_uring& ring, Requests& requests, Completion& completion) {
  const auto user_data = completion.user_data;
  if (LateCompletions::restore(completion)) {
    if (is_final(completion)) requests.by_user_data.erase(user_data);
    return Fate::arrives;
  }
  const auto ended = std::ranges::find(requests.ended, user_data);
  if (ended != requests.ended.end() && is_final(completion)) {
    requests.ended.erase(ended);
    return Fate::stays_away;
  }
  const auto found = requests.by_user_data.find(user_data);
  const auto request = found == requests.by_user_data.end() ? Requests::Request() : found->second;
  if (request.error != 0) completion.result = -request.error;

  const Fault fault = FaultPlan::consult(Call::ring_completion, request.fd,
                                         is_final(completion) ? of_a_completion : of_a_multishot_completion);
  if (fault.kind == Fault::Kind::error || fault.kind == Fault::Kind::end_of_multishot) {
    if (fault.kind == Fault::Kind::error) completion.result = -fault.error;
    completion.flags &= ~static_cast<std::uint32_t>(IORING_CQE_F_MORE);
    really_end(ring, user_data);
    requests.ended.push_back(user_data);
    return Fate::arrives;
  }
  if (fault.kind == Fault::Kind::lost) {
    really_end(ring, user_data);
    requests.ended.push_back(user_data);
    requests.has_lost_some = true;
    return Fate::stays_away;
  }
  // Those of one request keep their order.
  if (fault.kind == Fault::Kind::delay || LateCompletions::are_expected(ring.ring_fd, user_data)) {
    LateCompletions::post(ring.ring_fd, completion, fault.delay);
    return Fate::stays_away;
  }
  if (is_final(completion) && found != requests.by_user_data.end()) requests.by_user_data.erase(found);
  return fault.kind == Fault::Kind::last ? Fate::arrives_last : Fate::arrives;
}

std::size_t filter(io_uring& ring, std::span<Completion> taken) {
  const seam::Lock lock(mutex);
  std::vector<Completion> last;
  std::size_t count = 0;
  for (Completion completion : taken) {
    const Fate fate = decide(ring, rings[ring.ring_fd], completion);
    if (fate == Fate::arrives) taken[count++] = completion;
    if (fate == Fate::arrives_last) last.push_back(completion);
  }
  std::ranges::copy(last, taken.subspan(count).begin());
  return count + last.size();
}

}  // namespace

int set_up(io_uring& ring, unsigned entries, io_uring_params& params) noexcept {
  const int result =
      faulty(Call::ring_set_up, -1, of_any_call, [&] { return real_ring::set_up(ring, entries, params); });
  const seam::Lock lock(mutex);
  if (result >= 0) rings[ring.ring_fd] = Requests();
  return result;
}

void tear_down(io_uring& ring) noexcept {
  LateCompletions::forget(ring.ring_fd);
  {
    const seam::Lock lock(mutex);
    rings.erase(ring.ring_fd);
  }
  real_ring::tear_down(ring);
}

int enable(io_uring& ring) noexcept {
  return faulty(Call::ring_enable, ring.ring_fd, of_any_call, [&] { return real_ring::enable(ring); });
}

int limit_threads(io_uring& ring, unsigned most) noexcept {
  return faulty(Call::ring_limit_threads, ring.ring_fd, of_any_call,
                [&] { return real_ring::limit_threads(ring, most); });
}

int notify(io_uring& ring, int eventfd) noexcept {
  return faulty(Call::ring_notify, ring.ring_fd, of_any_call, [&] { return real_ring::notify(ring, eventfd); });
}

int probe(io_uring& ring, std::bitset<256>& supported) noexcept {
  return faulty(Call::ring_probe, ring.ring_fd, of_any_call, [&] { return real_ring::probe(ring, supported); });
}

int submit(io_uring& ring) noexcept {
  examine_new(ring);
  const Fault fault = FaultPlan::consult(Call::ring_submit, ring.ring_fd, of_submit);
  if (fault.kind == Fault::Kind::error) return -fault.error;
  if (fault.kind == Fault::Kind::delay) std::this_thread::sleep_for(fault.delay);
  const unsigned ready = io_uring_sq_ready(&ring);
  const unsigned share = fault.kind == Fault::Kind::zero ? 0 : share_of(fault, ready);
  if (share == 0 && ready != 0) return 0;
  // The rest is out of the kernel's sight for the time of the call.
  ring.sq.sqe_tail -= ready - share;
  const int result = real_ring::submit(ring);
  ring.sq.sqe_tail += ready - share;
  return result;
}

int wait(io_uring& ring, std::optional<Duration> timeout) noexcept {
  if (says_that_some_were_lost(ring)) return -EBADR;
  return faulty(Call::ring_wait, ring.ring_fd, of_a_wait, [&] { return real_ring::wait(ring, timeout); });
}

bool keeps_some_back(const io_uring& ring) noexcept { return real_ring::keeps_some_back(ring); }
bool has_overflowed(const io_uring& ring) noexcept { return real_ring::has_overflowed(ring); }

int fetch(io_uring& ring) noexcept {
  if (says_that_some_were_lost(ring)) return -EBADR;
  return faulty(Call::ring_fetch, ring.ring_fd, of_a_wait, [&] { return real_ring::fetch(ring); });
}

std::size_t take(io_uring& ring, std::span<Completion> into) noexcept {
  std::array<real_ring::Completion, 256> taken;
  into = into.first(std::min(into.size(), taken.size()));
  for (;;) {
    const std::size_t count = real_ring::take(ring, std::span(taken).first(into.size()));
    std::ranges::transform(std::span(taken).first(count), into.begin(), [](const real_ring::Completion& completion) {
      return Completion{completion.user_data, completion.result, completion.flags};
    });
    const std::size_t left = filter(ring, into.first(count));
    // None left of some would look like an empty queue.
    if (count == 0 || left != 0) return left;
  }
}

}  // namespace skua::reactor::ring

void skua::tests::announce_to_rings(int fd) {
  using namespace reactor::ring;
  const seam::Lock lock(mutex);
  for (const auto& [ring, requests] : rings) {
    for (const auto& [user_data, request] : requests.by_user_data) {
      if (request.fd != fd || !request.polls) continue;
      LateCompletions::post(ring, {user_data, POLLIN | POLLOUT, IORING_CQE_F_MORE}, Duration());
    }
  }
}
