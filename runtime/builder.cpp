#include <skua/builder.hpp>
#include <skua/option_table.hpp>
#include <skua/runtime.hpp>
#include <skua/runtime_core.hpp>

#include <string>
#include <utility>

namespace skua {

namespace {
const Origin from_code{Source::code, {}};

// What was set in code has not been looked at yet: whether the table can read back what it prints tells.
Result<void> check_values(Options options) {
  for (const OptionEntry& entry : option_table()) {
    const std::string value = entry.value(options);
    const Origin origin = entry.origin(options);
    if (!entry.set(options, value, origin)) return value_not_allowed(entry, value, origin);
    if (entry.locked(options) && origin.source > Source::code) return locked_option(entry, value, origin);
  }
  return {};
}

}  // namespace

Builder& Builder::workers(std::uint32_t count) {
  options_.workers.set(count, from_code);
  return *this;
}

Builder& Builder::workers_limit(std::uint32_t count) {
  options_.workers_limit.set(count, from_code);
  return *this;
}

Builder& Builder::backend(Backend backend) {
  options_.backend.set(backend, from_code);
  return *this;
}

Builder& Builder::reactor_mode(ReactorMode mode) {
  options_.reactor_mode.set(mode, from_code);
  return *this;
}

Builder& Builder::io_uring_entries(std::uint32_t submission, std::uint32_t completion) {
  options_.submission_entries.set(submission, from_code);
  options_.completion_entries.set(completion, from_code);
  return *this;
}

Builder& Builder::blocking_threads(std::uint32_t count) {
  options_.blocking_threads.set(count, from_code);
  return *this;
}

Builder& Builder::clock(const VirtualClock& clock) {
  clock_ = clock;
  return *this;
}

Builder& Builder::blocking_queue(std::uint32_t count) {
  options_.blocking_queue.set(count, from_code);
  return *this;
}

Builder& Builder::current_thread() {
  is_current_thread_ = true;
  return *this;
}

Builder& Builder::thread_name(std::string prefix) {
  thread_name_ = std::move(prefix);
  return *this;
}

Builder& Builder::on_thread_start(std::function<void()> hook) {
  hooks_.on_thread_start = std::move(hook);
  return *this;
}

Builder& Builder::on_thread_stop(std::function<void()> hook) {
  hooks_.on_thread_stop = std::move(hook);
  return *this;
}

Builder& Builder::on_thread_park(std::function<void()> hook) {
  hooks_.on_thread_park = std::move(hook);
  return *this;
}

Builder& Builder::on_thread_unpark(std::function<void()> hook) {
  hooks_.on_thread_unpark = std::move(hook);
  return *this;
}

Builder& Builder::on_task_spawn(std::function<void(const TaskInfo&)> hook) {
  hooks_.on_task_spawn = std::move(hook);
  return *this;
}

Builder& Builder::on_task_end(std::function<void(const TaskInfo&)> hook) {
  hooks_.on_task_end = std::move(hook);
  return *this;
}

Builder& Builder::lock(std::string_view key) {
  options_.lock(key);
  return *this;
}

Builder& Builder::options(Options options) {
  for (const OptionEntry& entry : option_table()) entry.locked(options) |= entry.locked(options_);
  options_ = std::move(options);
  return *this;
}

Result<Runtime> Builder::build() const {
  Options options = options_;
  if (auto result = options.set_from_environment(); !result) return std::move(result).error();
  if (auto result = check_values(options); !result) return std::move(result).error();
  auto core = RuntimeCore::start(RuntimePlan{std::move(options), hooks_, is_current_thread_, thread_name_,
                                             clock_ ? clock_->keeper() : Ref<Timekeeper>()});
  if (!core) return std::move(core).error();
  return Runtime(*std::move(core));
}

}  // namespace skua
