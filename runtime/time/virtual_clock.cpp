#include <skua/time/virtual_clock.hpp>

namespace skua {

VirtualClock::VirtualClock() : keeper_(make_ref<Timekeeper>(seam::now())) {}

}  // namespace skua
