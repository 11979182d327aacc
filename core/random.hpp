// The randomness seam: a small fast generator (xorshift64*), seeded from one place so that runs can be replayed.
#pragma once

#include <cstdint>

namespace skua::seam {

/// Not for secrets. One instance belongs to one thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed | 1) {}

  std::uint32_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545F4914F6CDD1Du) >> 32);
  }

  /// A number in [0, bound). Requires bound > 0. (Multiply-shift: no division, bias below 2^-32 * bound.)
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

/// A fresh seed: from the kernel.
std::uint64_t random_seed() noexcept;

/// This thread's generator, for choices that need no replay (which branch of select() is polled first).
Random& thread_random() noexcept;

}  // namespace skua::seam
