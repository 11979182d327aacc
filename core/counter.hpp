// Counters: numbers that are counted up while the program runs, and read by who wants to know.
//
// Counter has one writer at a time, the thread that owns what it counts: a load and a store, no read-modify-write. Two
// threads that write at once lose counts, nothing else; ownership that goes to another thread carries the value along.
// SharedCounter may be counted by any thread, and costs what an atomic addition costs.
//
// Reading: any thread, any time. The number is one that the counter had; it never goes down. Two counters that are read
// one after the other belong to two moments.
#pragma once

#include <skua/core/atomic.hpp>

namespace skua {

class Counter {
 public:
  /// What it comes to.
  std::uint64_t add(std::uint64_t count = 1) noexcept {
    // relaxed, both: nothing else is read because of the number
    const std::uint64_t sum = value_.load(std::memory_order_relaxed) + count;
    value_.store(sum, std::memory_order_relaxed);
    return sum;
  }
  /// For a number that is measured instead of counted, by the one writer.
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }  // relaxed: as in add()
  void raise_to(std::uint64_t value) noexcept {
    if (value > read()) set(value);
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }  // relaxed: as in add()

 private:
  seam::Atomic<std::uint64_t> value_{0};
};

class SharedCounter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.fetch_add(count, std::memory_order_relaxed);  // relaxed: nothing else is read because of the number
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }  // relaxed: as in add()

 private:
  seam::Atomic<std::uint64_t> value_{0};
};

}  // namespace skua
