#include <skua/core/random.hpp>

#include <sys/random.h>

#include <chrono>

namespace skua::seam {

std::uint64_t random_seed() noexcept {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return seed;
}

Random& thread_random() noexcept {
  thread_local Random random(random_seed());
  return random;
}

}  // namespace skua::seam
