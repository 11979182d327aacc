// The metric tables: every number of a snapshot with its name, its type and what it counts.
//
// The text for Prometheus, the difference of two snapshots, sums, and the reference in docs/metrics.md (a test
// compares) come from these tables: a number that is added here is known everywhere. Private.
#pragma once

#include <skua/metrics.hpp>

#include <algorithm>
#include <span>
#include <string_view>

namespace skua {

enum class MetricType {
  counter,    // counted since the start
  gauge,      // of the moment; a sum over workers is the sum
  maximum,    // of the moment; a sum over workers is the greatest
  histogram,  // counted since the start
};

/// One number of an Of; exactly one of the members is not null.
template <class Of>
struct MetricEntry {
  std::string_view name;  // "skua_worker_polls_total"
  MetricType type;
  std::string_view help;
  std::uint64_t Of::* number = nullptr;
  Duration Of::* duration = nullptr;
  DurationHistogram Of::* histogram = nullptr;
  bool Of::* flag = nullptr;
};

/// Labelled by worker; histograms are summed over the workers.
std::span<const MetricEntry<WorkerMetrics>> worker_metrics() noexcept;
std::span<const MetricEntry<SchedulerMetrics>> scheduler_metrics() noexcept;
/// Labelled by driver: a worker's number, or "reactor".
std::span<const MetricEntry<PollerMetrics>> poller_metrics() noexcept;
std::span<const MetricEntry<DriverMetrics>> driver_metrics() noexcept;
std::span<const MetricEntry<BlockingMetrics>> blocking_metrics() noexcept;
/// Those that are no member of a struct: computed from others, or labelled by spawn site.
struct ComputedMetric {
  std::string_view name;
  MetricType type;
  std::string_view help;
};
std::span<const ComputedMetric> computed_metrics() noexcept;

/// What changed: counted numbers of `later` less those of `earlier`, the others as they are in `later`.
template <class Of>
void subtract(Of& later, const Of& earlier, std::span<const MetricEntry<Of>> table) noexcept {
  for (const MetricEntry<Of>& entry : table) {
    if (entry.histogram != nullptr) later.*entry.histogram -= earlier.*entry.histogram;
    if (entry.type != MetricType::counter) continue;
    if (entry.number != nullptr) later.*entry.number -= earlier.*entry.number;
    if (entry.duration != nullptr) later.*entry.duration -= earlier.*entry.duration;
  }
}

template <class Of>
void accumulate(Of& sum, const Of& part, std::span<const MetricEntry<Of>> table) noexcept {
  const auto add = [&](auto member, MetricType type) {
    sum.*member = type == MetricType::maximum ? std::max(sum.*member, part.*member) : sum.*member + part.*member;
  };
  for (const MetricEntry<Of>& entry : table) {
    if (entry.histogram != nullptr) sum.*entry.histogram += part.*entry.histogram;
    if (entry.number != nullptr) add(entry.number, entry.type);
    if (entry.duration != nullptr) add(entry.duration, entry.type);
    if (entry.flag != nullptr) sum.*entry.flag = sum.*entry.flag && part.*entry.flag;
  }
}

}  // namespace skua
