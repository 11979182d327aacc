// Where scheduler and reactor meet: a worker that sleeps in its driver. Private.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/scheduler/parker.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include <memory>

namespace skua {

class Monitor;

/// A worker's parker. With a driver of its own (ReactorMode::workers) it sleeps and looks there; without one
/// (ReactorMode::thread) it sleeps on a condition variable. Either way the monitor hears of it when it wakes, and the
/// `keeper` of virtual time, if there is one, when it sleeps.
std::unique_ptr<scheduler::Parker> make_worker_parker(Ref<reactor::Driver> driver, Monitor& monitor,
                                                      Ref<Timekeeper> keeper);

}  // namespace skua
