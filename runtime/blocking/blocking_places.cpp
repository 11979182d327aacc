#include <skua/blocking/blocking_places.hpp>

#include <algorithm>

namespace skua {

void BlockingPlaces::give_back() {
  {
    const seam::Lock lock(mutex_);
    if (surplus_ > 0) {
      --surplus_;
      return;
    }
  }
  admission_.release(1);  // wakes: under no lock
}

void BlockingPlaces::resize(std::size_t count) {
  std::size_t added = 0;
  {
    const seam::Lock lock(mutex_);
    if (count < count_) {
      const std::size_t too_many = count_ - count;
      surplus_ += too_many - admission_.forget_permits(too_many);
    } else {
      added = count - count_;
      const std::size_t kept = std::min(added, surplus_);
      surplus_ -= kept;
      added -= kept;
    }
    count_ = count;
  }
  if (added > 0) admission_.add_permits(added);
}

}  // namespace skua
