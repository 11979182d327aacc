// DurationHistogram: how many durations fell between one power of two and the next, from a microsecond to 17 seconds.
//
//   bucket     0           1                 i                        24                    25
//   up to      1.024 µs    2.048 µs    ...   2^(10 + i) ns     ...    17.18 s (2^34 ns)     any
//
// DurationCounts is what a thread counts in and others read; see counter.hpp. Finding the bucket takes a count of
// leading zeros, and no table.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/counter.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace skua {

struct DurationHistogram {
  static constexpr std::size_t buckets = 26;
  static constexpr unsigned first_exponent = 10;

  std::array<std::uint64_t, buckets> counts{};  // each of its bucket alone, not of those below
  Duration sum{0};

  std::uint64_t count() const noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t one : counts) all += one;
    return all;
  }
  /// The longest that falls into the bucket; Duration::max() for the last.
  static constexpr Duration upper_bound(std::size_t bucket) noexcept {
    if (bucket + 1 >= buckets) return Duration::max();
    return Duration(Duration::rep{1} << (first_exponent + bucket));
  }
  static constexpr std::size_t bucket_of(Duration duration) noexcept {
    if (duration <= upper_bound(0)) return 0;
    const auto above = static_cast<std::uint64_t>(duration.count() - 1);
    return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above)) - first_exponent, buckets - 1);
  }

  DurationHistogram& operator+=(const DurationHistogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts[i] += other.counts[i];
    sum += other.sum;
    return *this;
  }
  DurationHistogram& operator-=(const DurationHistogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts[i] -= other.counts[i];
    sum -= other.sum;
    return *this;
  }
  friend bool operator==(const DurationHistogram&, const DurationHistogram&) noexcept = default;
};

class DurationCounts {
 public:
  /// By the one writer.
  void record(Duration duration) noexcept {
    counts_[DurationHistogram::bucket_of(duration)].add();
    sum_.add(static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count()));
  }
  DurationHistogram read() const noexcept {
    DurationHistogram histogram;
    for (std::size_t i = 0; i < counts_.size(); ++i) histogram.counts[i] = counts_[i].read();
    histogram.sum = Duration(static_cast<Duration::rep>(sum_.read()));
    return histogram;
  }

 private:
  std::array<Counter, DurationHistogram::buckets> counts_;
  Counter sum_;
};

}  // namespace skua
