// The start of a thread, which the plan may refuse.
#include "fault_plan.hpp"

#include <skua/core/thread.hpp>

#include <system_error>

namespace skua::real_seam {
std::thread start_thread(std::string name, std::function<void()> body);
bool is_started_thread() noexcept;
std::uint64_t thread_number() noexcept;
}  // namespace skua::real_seam

namespace skua::seam {

std::thread start_thread(std::string name, std::function<void()> body) {
  using tests::Fault;
  const Fault fault =
      tests::FaultPlan::consult(tests::Call::start_thread, -1, tests::Kinds(Fault::Kind::error, Fault::Kind::delay));
  if (fault.kind == Fault::Kind::error) throw std::system_error(fault.error, std::generic_category());
  if (fault.kind == Fault::Kind::delay) std::this_thread::sleep_for(fault.delay);
  return real_seam::start_thread(std::move(name), std::move(body));
}

bool is_started_thread() noexcept { return real_seam::is_started_thread(); }
std::uint64_t thread_number() noexcept { return real_seam::thread_number(); }

}  // namespace skua::seam
