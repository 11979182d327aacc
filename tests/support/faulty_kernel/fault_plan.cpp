#include "fault_plan.hpp"

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <thread>

namespace skua::tests {

namespace {

constexpr const char* names[] = {
#define KERNEL_CALL(name) #name,
#include "kernel_calls.inc"
#undef KERNEL_CALL
    "start_thread", "ring_set_up", "ring_enable", "ring_limit_threads", "ring_notify",     "ring_probe",
    "ring_submit",  "ring_wait",   "ring_fetch",  "ring_request",       "ring_completion",
};
static_assert(std::size(names) == number_of_calls);

// The plan cannot go away while a call consults it.
constinit seam::Mutex current_mutex;
constinit FaultPlan* current SKUA_GUARDED_BY(current_mutex) = nullptr;

std::string text_of(const Fault& fault) {
  switch (fault.kind) {
    case Fault::Kind::none: return "nothing";
    case Fault::Kind::error: return std::string("fails: ") + ::strerrorname_np(fault.error);
    case Fault::Kind::short_count: return "takes " + std::to_string(fault.count);
    case Fault::Kind::all_but: return "takes all but " + std::to_string(fault.count);
    case Fault::Kind::zero: return "returns zero";
    case Fault::Kind::delay: return "is late";
    case Fault::Kind::end_of_multishot: return "ends multishot";
    case Fault::Kind::last: return "is last";
    case Fault::Kind::lost: return "is lost";
  }
  return "?";
}

}  // namespace

const char* name_of(Call call) noexcept { return names[static_cast<std::size_t>(call)]; }

FaultPlan::FaultPlan() {
  const seam::Lock lock(current_mutex);
  if (current != nullptr) fail_fast("there are two fault plans at once", "Destroy the first one before");
  current = this;
}

FaultPlan::~FaultPlan() {
  const seam::Lock lock(current_mutex);
  current = nullptr;
}

FaultPlan::Sentence FaultPlan::on(Call call) { return Sentence(*this, call); }

void FaultPlan::lift() {
  const seam::Lock lock(mutex_);
  for (Rule& rule : rules_) rule.last = 0;
}

int FaultPlan::delivered() const {
  const seam::Lock lock(mutex_);
  return delivered_;
}

int FaultPlan::delivered(Call call) const {
  const seam::Lock lock(mutex_);
  std::uint64_t sum = 0;
  for (const Rule& rule : rules_) sum += rule.call == call ? rule.delivered : 0;
  return static_cast<int>(sum);
}

bool FaultPlan::wait_delivered(int faults, Duration limit) const {
  const Instant end = seam::now() + limit;
  while (delivered() < faults) {
    if (seam::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

std::uint64_t FaultPlan::calls(Call call) const {
  const seam::Lock lock(mutex_);
  return calls_[static_cast<std::size_t>(call)];
}

std::uint64_t FaultPlan::calls() const {
  const seam::Lock lock(mutex_);
  return std::accumulate(calls_.begin(), calls_.end(), std::uint64_t{0});
}

std::string FaultPlan::describe() const {
  const seam::Lock lock(mutex_);
  std::string text;
  for (const Rule& rule : rules_) {
    text += std::string("  ") + name_of(rule.call) + " " + text_of(rule.fault) + ", delivered " +
            std::to_string(rule.delivered) + " times in " + std::to_string(rule.matched) + " calls\n";
  }
  for (std::size_t call = 0; call < calls_.size(); ++call) {
    if (calls_[call] != 0) text += std::string("  ") + names[call] + ": " + std::to_string(calls_[call]) + " calls\n";
  }
  return text;
}

Fault FaultPlan::consult(Call call, int fd, const Kinds& possible) noexcept {
  const seam::Lock lock(current_mutex);
  return current == nullptr ? Fault() : current->decide(call, fd, possible);
}

Fault FaultPlan::decide(Call call, int fd, const Kinds& possible) {
  const seam::Lock lock(mutex_);
  ++calls_[static_cast<std::size_t>(call)];
  for (Rule& rule : rules_) {
    if (rule.call != call || !possible.has(rule.fault.kind)) continue;
    if (!rule.fds.empty() && std::ranges::find(rule.fds, fd) == rule.fds.end()) continue;
    ++rule.matched;
    if (rule.matched < rule.first || rule.matched > rule.last) continue;
    ++rule.delivered;
    ++delivered_;
    return rule.fault;
  }
  return {};
}

void FaultPlan::add(const Rule& rule) {
  const seam::Lock lock(mutex_);
  rules_.push_back(rule);
}

FaultPlan::Sentence::Sentence(FaultPlan& plan, Call call) noexcept : plan_(plan), rule_(call) {}

FaultPlan::Sentence& FaultPlan::Sentence::fd(int fd) { return fds({fd}); }
FaultPlan::Sentence& FaultPlan::Sentence::fds(std::vector<int> fds) {
  rule_.fds = std::move(fds);
  return *this;
}
FaultPlan::Sentence& FaultPlan::Sentence::nth(std::uint64_t n) {
  rule_.first = rule_.last = n;
  return *this;
}
FaultPlan::Sentence& FaultPlan::Sentence::first(std::uint64_t n) {
  rule_.first = 1;
  rule_.last = n;
  return *this;
}
FaultPlan::Sentence& FaultPlan::Sentence::always() {
  rule_.first = 1;
  rule_.last = ~std::uint64_t{0};
  return *this;
}

void FaultPlan::Sentence::fails(int error) { suffers(Fault(Fault::Kind::error, error)); }
void FaultPlan::Sentence::takes(std::size_t count) { suffers(Fault(Fault::Kind::short_count, 0, count)); }
void FaultPlan::Sentence::takes_all_but(std::size_t count) { suffers(Fault(Fault::Kind::all_but, 0, count)); }
void FaultPlan::Sentence::returns_zero() { suffers(Fault(Fault::Kind::zero)); }
void FaultPlan::Sentence::is_late(Duration delay) { suffers(Fault(Fault::Kind::delay, 0, 0, delay)); }
void FaultPlan::Sentence::ends_multishot() { suffers(Fault(Fault::Kind::end_of_multishot)); }
void FaultPlan::Sentence::is_last() { suffers(Fault(Fault::Kind::last)); }
void FaultPlan::Sentence::is_lost() { suffers(Fault(Fault::Kind::lost)); }
void FaultPlan::Sentence::suffers(const Fault& fault) {
  rule_.fault = fault;
  plan_.add(rule_);
}

}  // namespace skua::tests
