// The atomics seam: the only header that names std::atomic.
//
// Production code says seam::Atomic<T>. Under SKUA_MODEL (tests/model) the same headers are compiled
// against a relaxed-memory model checker: every access becomes a point where it may switch threads or
// return a stale value, and capacities shrink so that wrap-around and overflow are reached.
//
// Rules: memory orders are always written out; no fences (thread sanitizer does not model them);
// fetch_add instead of ++.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(SKUA_MODEL)
#include <skua/model/atomic.hpp>
#else
#include <atomic>

namespace skua::seam {

template <class T>
using Atomic = std::atomic<T>;

inline constexpr std::uint32_t local_queue_capacity = 256;
inline constexpr std::uint32_t inject_batch = 64;

/// Distance that keeps two independently written words out of each other's cache lines
/// (two lines: the hardware prefetches in pairs).
inline constexpr std::size_t cache_line = 128;

}  // namespace skua::seam
#endif
