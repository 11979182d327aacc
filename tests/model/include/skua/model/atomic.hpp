// The model's side of core/atomic.hpp: seam::Atomic<T> with the members of std::atomic<T> that the runtime uses.
//
// Every access is a point where the checker may switch threads; a load may return any value that the memory model
// allows (up to two older than the newest), and a weak compare-exchange may fail for no reason. What the checker does
// not do: let a load see a store that comes later (load buffering), or let a failed compare-exchange see an old value.
//
// Differences from std::atomic that are meant: memory orders have no default, there are no operators, and the default
// constructor sets T{} as std::atomic's does since C++20. The construction is an ordinary relaxed store, so an object
// that is handed to a thread without a happens-before edge is found out.
#pragma once

#include <skua/model/relacy.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <type_traits>

namespace skua::seam {

inline constexpr std::uint32_t local_queue_capacity = 4;
inline constexpr std::uint32_t inject_batch = 2;
/// The checker keeps the objects of a model in malloc'ed memory, where nothing is aligned to cache lines.
inline constexpr std::size_t cache_line = alignof(std::max_align_t);

template <class T>
class Atomic {
  using Place = std::source_location;
  using Order = std::memory_order;
  // The checker prints values: enumerations are kept as numbers.
  using Stored = std::conditional_t<std::is_enum_v<T>, std::uint32_t, T>;

 public:
  Atomic(Place at = Place::current()) : Atomic(T{}, at) {}
  Atomic(T value, Place at = Place::current()) { store(value, Order::relaxed, at); }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order, Place at = Place::current()) const {
    return static_cast<T>(atomic_.load(rl_order(order), model::place(at)));
  }
  void store(T value, Order order, Place at = Place::current()) {
    atomic_.store(static_cast<Stored>(value), rl_order(order), model::place(at));
  }

  T exchange(T value, Order order, Place at = Place::current()) {
    return static_cast<T>(atomic_.exchange(static_cast<Stored>(value), rl_order(order), model::place(at)));
  }
  T fetch_add(T value, Order order, Place at = Place::current()) {
    return atomic_.fetch_add(value, rl_order(order), model::place(at));
  }
  T fetch_sub(T value, Order order, Place at = Place::current()) {
    return atomic_.fetch_sub(value, rl_order(order), model::place(at));
  }
  T fetch_and(T value, Order order, Place at = Place::current()) {
    return atomic_.fetch_and(value, rl_order(order), model::place(at));
  }
  T fetch_or(T value, Order order, Place at = Place::current()) {
    return atomic_.fetch_or(value, rl_order(order), model::place(at));
  }
  T fetch_xor(T value, Order order, Place at = Place::current()) {
    return atomic_.fetch_xor(value, rl_order(order), model::place(at));
  }

  bool compare_exchange_weak(T& expected, T value, Order success, Order failure, Place at = Place::current()) {
    return compare_exchange<true>(expected, value, success, failure, at);
  }
  bool compare_exchange_weak(T& expected, T value, Order order, Place at = Place::current()) {
    return compare_exchange<true>(expected, value, order, failure_order(order), at);
  }
  bool compare_exchange_strong(T& expected, T value, Order success, Order failure, Place at = Place::current()) {
    return compare_exchange<false>(expected, value, success, failure, at);
  }
  bool compare_exchange_strong(T& expected, T value, Order order, Place at = Place::current()) {
    return compare_exchange<false>(expected, value, order, failure_order(order), at);
  }

 private:
  template <bool MayFailSpuriously>
  bool compare_exchange(T& expected, T value, Order success, Order failure, const Place& at) {
    Stored seen = static_cast<Stored>(expected);
    const bool done =
        atomic_.compare_exchange(rl::bool_t<MayFailSpuriously>(), seen, static_cast<Stored>(value),
                                 rl_order(at_least(success, failure)), rl_order(failure), model::place(at));
    expected = static_cast<T>(seen);
    return done;
  }

  static constexpr Order failure_order(Order order) noexcept {
    if (order == Order::acq_rel) return Order::acquire;
    return order == Order::release ? Order::relaxed : order;
  }
  // Since C++17 the failure order may be stronger than the success order, which relacy does not know.
  static constexpr Order at_least(Order success, Order failure) noexcept {
    if (failure == Order::seq_cst) return failure;
    if (failure != Order::acquire) return success;
    if (success == Order::relaxed) return Order::acquire;
    return success == Order::release ? Order::acq_rel : success;
  }

  static constexpr rl::memory_order rl_order(Order order) noexcept {
    switch (order) {
      case Order::relaxed: return rl::mo_relaxed;
      case Order::consume: return rl::mo_consume;
      case Order::acquire: return rl::mo_acquire;
      case Order::release: return rl::mo_release;
      case Order::acq_rel: return rl::mo_acq_rel;
      case Order::seq_cst: break;
    }
    return rl::mo_seq_cst;
  }

  rl::atomic<Stored> atomic_;
};

}  // namespace skua::seam
