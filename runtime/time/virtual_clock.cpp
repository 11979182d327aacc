#include <skua/time/virtual_clock.hpp>

#include <utility>

namespace skua {

VirtualClock::Hold::Hold(Ref<Timekeeper> keeper) noexcept : keeper_(std::move(keeper)) { keeper_->begin(); }
VirtualClock::Hold::~Hold() {
  if (keeper_) keeper_->release();
}

VirtualClock::VirtualClock() : keeper_(make_ref<Timekeeper>(seam::now())) {}

}  // namespace skua
