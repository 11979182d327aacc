#include <skua/task/backoff.hpp>

#include <algorithm>

namespace skua {

Duration Backoff::bound(std::uint32_t tried) const noexcept {
  Duration bound = std::min(first_, longest_);
  for (std::uint32_t i = 1; i < tried && bound < longest_; ++i) {
    if (bound == Duration::zero()) break;
    bound = bound > longest_ / 2 ? longest_ : bound * 2;
  }
  return bound;
}

Duration Backoff::draw(std::uint32_t tried, seam::Random& random) const noexcept {
  // A fraction of 2^-32 steps is fine enough, and double does not overflow.
  const double part = static_cast<double>(random.next()) / 4294967295.0;
  const Duration most = bound(tried);
  return std::min(most, Duration(static_cast<Duration::rep>(part * static_cast<double>(most.count()))));
}

}  // namespace skua
