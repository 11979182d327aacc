// The driver's production sources as a part of a model, without descriptors.
#pragma once

#include "harness.hpp"

#include <skua/core/kernel.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>

// The threads of the checker are fibers of one thread: what is thread-local in the driver (the lists in look()) becomes
// an ordinary local.
#define thread_local
#include <skua/reactor/driver.cpp>
#undef thread_local
#include <skua/core/timekeeper.cpp>
#include <skua/reactor/timer_wheel.cpp>

namespace skua {

int kernel::close(int) noexcept { return 0; }
int kernel::poll_now(pollfd*, std::size_t) noexcept { return 0; }

namespace reactor {
void IoSource::on_event(std::uint32_t, std::vector<Waker>&) {}
void IoSource::on_shutdown(std::vector<Waker>&) {}
void IoSource::on_watch_ended(int, std::vector<Waker>&) {}
short IoSource::awaited_events() { return 0; }
}  // namespace reactor

}  // namespace skua
