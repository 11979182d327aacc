// FaultPlan: which calls of the runtime fail, and how.
//
//   FaultPlan plan;
//   plan.on(Call::recv).nth(2).fails(ECONNRESET);
//   plan.on(Call::accept4).fd(listener).always().fails(EMFILE);
//   ...
//   EXPECT_EQ(plan.delivered(), 2);   // a fault that was not delivered proves nothing
//
// The plan is the process's while it lives; there is one at a time. A rule holds from the verb that ends its sentence
// on; of several that match a call the first one counts. Link with `faulty_kernel`.
//
// What a fault means:
//   fails(error)     the call does nothing and returns -error, but: close() closes, connect() with EINTR connects (as
//                    the kernel does); with EINTR a call that repeats itself is interrupted once, below the repetition
//   takes(count)     a transfer of at most `count` bytes
//   takes_all_but(n) a transfer that leaves out the last `n` bytes; of a submission: the last `n` requests
//   returns_zero()   the call does nothing and returns 0
//   is_late(delay)   the call is done after the delay; a completion arrives after it
// Of requests to a ring (Call::ring_request, when they are submitted):
//   fails(error)     the request is not done, its completion has the error. takes(), takes_all_but(): its length
// Of completions (Call::ring_completion, when they are taken out of the queue):
//   ends_multishot() F_MORE is missing: the kernel has ended the request. fails(error): likewise, with that result
//   is_last()        it comes after all others that are there
//   is_lost()        of a multishot request: it does not come, the request has ended, and the next wait or fetch says
//                    that something was lost (EBADR)
//
// Thread safety: any thread.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace skua::tests {

/// The functions of the seams by their names.
enum class Call : std::uint8_t {
#define KERNEL_CALL(name) name,
#include "kernel_calls.inc"
#undef KERNEL_CALL
  start_thread,
  ring_set_up,
  ring_enable,
  ring_limit_threads,
  ring_notify,
  ring_probe,
  ring_submit,
  ring_wait,
  ring_fetch,
  ring_request,
  ring_completion,
};
inline constexpr std::size_t number_of_calls = static_cast<std::size_t>(Call::ring_completion) + 1;
const char* name_of(Call call) noexcept;

/// What is to happen to one call.
struct Fault {
  enum class Kind : std::uint8_t { none, error, short_count, all_but, zero, delay, end_of_multishot, last, lost };

  Fault() = default;
  explicit Fault(Kind what, int with_error = 0, std::size_t with_count = 0, Duration with_delay = {}) noexcept
      : kind(what), error(with_error), count(with_count), delay(with_delay) {}

  Kind kind = Kind::none;
  int error = 0;
  std::size_t count = 0;
  Duration delay{};

  explicit operator bool() const noexcept { return kind != Kind::none; }
};

/// Kinds of faults that a call can suffer.
class Kinds {
 public:
  template <class... Kind>
  explicit constexpr Kinds(Kind... kinds) noexcept : bits_((0u | ... | bit(kinds))) {}
  constexpr bool has(Fault::Kind kind) const noexcept { return (bits_ & bit(kind)) != 0; }

 private:
  static constexpr unsigned bit(Fault::Kind kind) noexcept { return 1u << static_cast<unsigned>(kind); }
  unsigned bits_;
};

class FaultPlan {
 public:
  /// Ends the program if there is one already.
  FaultPlan();
  ~FaultPlan();
  FaultPlan(const FaultPlan&) = delete;
  FaultPlan& operator=(const FaultPlan&) = delete;

  class Sentence;
  /// Begins a rule. Each call until told otherwise.
  [[nodiscard]] Sentence on(Call call);

  /// No more faults; calls are counted on.
  void lift();

  /// How many faults have been delivered, in all and to one kind of call.
  int delivered() const;
  int delivered(Call call) const;
  /// Waits until there are that many; false if there are not within `limit`.
  [[nodiscard]] bool wait_delivered(int faults, Duration limit) const;
  /// How many times the runtime has made the call, with and without fault, since the plan was made.
  std::uint64_t calls(Call call) const;
  std::uint64_t calls() const;
  /// The rules, and how many calls of each kind there were.
  std::string describe() const;

  /// For the faulty functions: what is to happen to this call, which is counted. Rules with other faults than
  /// `possible` do not match: what is called delivered happens.
  static Fault consult(Call call, int fd, const Kinds& possible) noexcept;

 private:
  struct Rule {
    explicit Rule(Call which) noexcept : call(which) {}
    Call call;
    std::vector<int> fds;  // none: any
    std::uint64_t first = 1;
    std::uint64_t last = ~std::uint64_t{0};
    Fault fault;
    std::uint64_t matched = 0;
    std::uint64_t delivered = 0;
  };
  void add(const Rule& rule);
  Fault decide(Call call, int fd, const Kinds& possible);

  mutable seam::Mutex mutex_;
  std::vector<Rule> rules_ SKUA_GUARDED_BY(mutex_);
  std::array<std::uint64_t, number_of_calls> calls_ SKUA_GUARDED_BY(mutex_){};
  int delivered_ SKUA_GUARDED_BY(mutex_) = 0;
};

class FaultPlan::Sentence {
 public:
  // Which calls
  Sentence& fd(int fd);
  Sentence& fds(std::vector<int> fds);
  Sentence& nth(std::uint64_t n);
  Sentence& first(std::uint64_t n);
  Sentence& always();

  // What happens to them
  void fails(int error);
  void takes(std::size_t count);
  void takes_all_but(std::size_t count);
  void returns_zero();
  void is_late(Duration delay);
  void ends_multishot();
  void is_last();
  void is_lost();
  void suffers(const Fault& fault);

 private:
  friend class FaultPlan;
  Sentence(FaultPlan& plan, Call call) noexcept;
  FaultPlan& plan_;
  Rule rule_;
};

}  // namespace skua::tests
