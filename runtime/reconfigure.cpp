#include <skua/option_table.hpp>
#include <skua/reconfigure.hpp>
#include <skua/runtime_core.hpp>

#include <chrono>
#include <utility>

namespace skua {

Options RuntimeCore::configuration() {
  const seam::Lock lock(configuration_mutex_);
  return configuration_;
}

Result<void> RuntimeCore::reconfigure(std::string_view key, std::string_view value, std::string_view by) {
  const Origin origin{Source::live, std::string(by)};
  const OptionEntry* const entry = find_option(key);
  if (entry == nullptr) return unknown_option(key, origin);
  if (!entry->is_hot()) return needs_restart(*entry, value, origin);

  const seam::Lock lock(configuration_mutex_);
  Options now = configuration_;
  if (auto done = now.set(key, value, origin); !done) return done;
  if (auto done = entry->about.apply(*this, now); !done) return done;
  configuration_ = std::move(now);
  return {};
}

Result<void> apply_workers(RuntimeCore& core, const Options& now) {
  if (now.workers.value > now.workers_limit.value) return above_limit(now);
  core.worker_count().set(now.workers.value);
  return {};
}

Result<void> apply_blocking_pool(RuntimeCore& core, const Options& now) {
  core.blocking_pool().set_limits(now.blocking_threads.value,
                                  std::chrono::milliseconds(now.blocking_keep_alive_ms.value));
  return {};
}

Result<void> apply_blocking_queue(RuntimeCore& core, const Options& now) {
  core.blocking_places().resize(now.blocking_queue.value);
  return {};
}

}  // namespace skua
