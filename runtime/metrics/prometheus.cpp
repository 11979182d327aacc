// The text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/
#include <skua/metrics.hpp>
#include <skua/metrics/metric_table.hpp>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace skua {

namespace {

std::string_view name_of(MetricType type) noexcept {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge:
    case MetricType::maximum: return "gauge";
    case MetricType::histogram: return "histogram";
  }
  return "untyped";
}

// In a label's value.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') result += '\\';
    result += c;
  }
  return result;
}

class Writer {
 public:
  void header(std::string_view name, MetricType type, std::string_view help) {
    put({"# HELP ", name, " ", help, "\n# TYPE ", name, " ", name_of(type), "\n"});
  }
  /// `labels` with their braces, or empty.
  void sample(std::string_view name, std::string_view suffix, std::string_view labels, std::string_view value) {
    put({name, suffix, labels, " ", value, "\n"});
  }
  std::string take() { return std::move(text_); }

 private:
  void put(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) text_ += part;
  }
  std::string text_;
};

// Exactly, and without the noise of binary fractions.
std::string seconds(Duration duration) {
  const auto ns = static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count());
  std::string text = std::to_string(ns / 1'000'000'000);
  std::string fraction = std::to_string(ns % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) text.append(".").append(fraction);
  return text;
}

std::string label(std::string_view name, std::string_view value) {
  std::string text = "{";
  return text.append(name).append("=\"").append(escaped(value)).append("\"}");
}

template <class Of>
std::string value_of(const Of& of, const MetricEntry<Of>& entry) {
  if (entry.duration != nullptr) return seconds(of.*entry.duration);
  if (entry.flag != nullptr) return of.*entry.flag ? "1" : "0";
  return std::to_string(of.*entry.number);
}

void write(Writer& out, std::string_view name, const DurationHistogram& histogram) {
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < DurationHistogram::buckets; ++i) {
    up_to_here += histogram.counts[i];
    const Duration bound = DurationHistogram::upper_bound(i);
    const std::string text = bound == Duration::max() ? "+Inf" : seconds(bound);
    out.sample(name, "_bucket", label("le", text), std::to_string(up_to_here));
  }
  out.sample(name, "_sum", "", seconds(histogram.sum));
  out.sample(name, "_count", "", std::to_string(up_to_here));
}

void write(Writer& out, const WorkerMetrics& all, std::span<const WorkerMetrics> workers,
           const MetricEntry<WorkerMetrics>& entry) {
  out.header(entry.name, entry.type, entry.help);
  if (entry.histogram != nullptr) return write(out, entry.name, all.*entry.histogram);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    out.sample(entry.name, "", label("worker", std::to_string(i)), value_of(workers[i], entry));
  }
}

// One for all, or one of each driver's parts.
template <class Of>
void write(Writer& out, const Of& of, std::span<const MetricEntry<Of>> table) {
  for (const MetricEntry<Of>& entry : table) {
    out.header(entry.name, entry.type, entry.help);
    out.sample(entry.name, "", "", value_of(of, entry));
  }
}

template <class Of, class Part>
void write_drivers(Writer& out, const Metrics& metrics, std::span<const MetricEntry<Of>> table, Part part) {
  for (const MetricEntry<Of>& entry : table) {
    out.header(entry.name, entry.type, entry.help);
    for (std::size_t i = 0; i < metrics.drivers.size(); ++i) {
      const std::string name = i < metrics.workers.size() && metrics.reactor_mode == ReactorMode::workers
                                   ? std::to_string(i)
                                   : std::string("reactor");
      out.sample(entry.name, "", label("driver", name), value_of(part(metrics.drivers[i]), entry));
    }
  }
}

std::string labels_of(const Metrics& metrics) {
  std::string text = "{backend=\"";
  text += metrics.backend == Backend::epoll ? "epoll" : "io_uring";
  text += "\",reactor_mode=\"";
  text += metrics.reactor_mode == ReactorMode::thread ? "thread" : "workers";
  return text + "\"}";
}

std::string labels_of(const SpawnSite& site) {
  std::string text = "{file=\"" + escaped(site.at.file_name());
  text += "\",line=\"" + std::to_string(site.at.line());
  return text + "\"}";
}

void write_computed(Writer& out, const Metrics& metrics, std::span<const SpawnSite> sites) {
  for (const ComputedMetric& metric : computed_metrics()) {
    const bool is_of_sites = metric.name.starts_with("skua_spawn_site_");
    if (is_of_sites && sites.empty()) continue;
    out.header(metric.name, metric.type, metric.help);
    const auto one = [&](std::uint64_t value) { out.sample(metric.name, "", "", std::to_string(value)); };
    if (metric.name == "skua_info") out.sample(metric.name, "", labels_of(metrics), "1");
    if (metric.name == "skua_workers") one(metrics.workers.size());
    if (metric.name == "skua_tasks") one(metrics.alive_tasks());
    if (metric.name == "skua_operations") one(metrics.operations);
    if (!is_of_sites) continue;
    for (const SpawnSite& site : sites) {
      const std::uint64_t value = metric.name.ends_with("_bytes") ? site.bytes : site.tasks;
      out.sample(metric.name, "", labels_of(site), std::to_string(value));
    }
  }
}

}  // namespace

std::string to_prometheus(const Metrics& metrics, std::span<const SpawnSite> sites) {
  Writer out;
  write_computed(out, metrics, sites);
  write(out, metrics.scheduler, scheduler_metrics());
  const WorkerMetrics all = metrics.all_workers();
  for (const auto& entry : worker_metrics()) write(out, all, metrics.workers, entry);
  write_drivers(out, metrics, poller_metrics(),
                [](const DriverMetrics& driver) -> const PollerMetrics& { return driver.poller; });
  write_drivers(out, metrics, driver_metrics(),
                [](const DriverMetrics& driver) -> const DriverMetrics& { return driver; });
  write(out, metrics.blocking, blocking_metrics());
  return out.take();
}

}  // namespace skua
