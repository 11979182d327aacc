#include <skua/control/control_address.hpp>
#include <skua/option_table.hpp>
#include <skua/options.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace skua {

namespace {

// Each type of value: from text (false if it is not one), and to text.

template <std::uint32_t Least, std::uint32_t Most>
struct Number {
  static bool parse(std::string_view text, std::uint32_t& number) {
    const char* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, number);
    return fault == std::errc{} && stopped == end && number >= Least && number <= Most;
  }
  static std::string print(std::uint32_t number) { return std::to_string(number); }
};

struct Workers {
  using Given = Number<1, workers_max>;
  static bool parse(std::string_view text, std::uint32_t& workers) {
    if (text == "auto") return workers = workers_auto, true;
    return Given::parse(text, workers);
  }
  static std::string print(std::uint32_t workers) { return workers == workers_auto ? "auto" : Given::print(workers); }
};

using SubmissionEntries = Number<submission_entries_min, submission_entries_max>;
using BlockingThreads = Number<1, blocking_threads_max>;
using BlockingPlaces = Number<1, blocking_queue_max>;
using PollSample = Number<0, poll_sample_max>;
using KeepAlive = Number<0, blocking_keep_alive_max>;
using CompletionEntries = Number<completion_entries_min, completion_entries_max>;

constexpr std::pair<std::string_view, Backend> backends[] = {
    {"auto", Backend::automatic}, {"io_uring", Backend::io_uring}, {"epoll", Backend::epoll}};
constexpr std::pair<std::string_view, bool> switches[] = {{"off", false}, {"on", true}};
constexpr std::pair<std::string_view, ReactorMode> reactor_modes[] = {{"workers", ReactorMode::workers},
                                                                      {"thread", ReactorMode::thread}};

constexpr std::span<const std::pair<std::string_view, Backend>> names_of(Backend) { return backends; }
constexpr std::span<const std::pair<std::string_view, bool>> names_of(bool) { return switches; }
constexpr std::span<const std::pair<std::string_view, ReactorMode>> names_of(ReactorMode) { return reactor_modes; }

struct Endpoint {
  static bool parse(std::string_view text, std::string& listen) {
    if (text != "off" && !ControlAddress::parse(text)) return false;
    listen = text;
    return true;
  }
  static std::string print(const std::string& listen) { return listen; }
};

template <class Enum>
struct Name {
  static bool parse(std::string_view text, Enum& value) {
    for (const auto& [name, named] : names_of(value)) {
      if (name == text) return value = named, true;
    }
    return false;
  }
  static std::string print(Enum value) {
    for (const auto& [name, named] : names_of(value)) {
      if (named == value) return std::string(name);
    }
    return "?";
  }
};

template <auto Member, class Type>
constexpr OptionEntry entry(std::string_view key, const char* variable, std::string_view flag,
                            std::string_view expected) {
  return {key,
          variable,
          flag,
          expected,
          [](Options& options, std::string_view text, Origin origin) {
            auto value = (options.*Member).value;
            if (!Type::parse(text, value)) return false;
            (options.*Member).set(value, std::move(origin));
            return true;
          },
          [](const Options& options) { return Type::print((options.*Member).value); },
          [](const Options& options) -> const Origin& { return (options.*Member).origin; }};
}

static_assert(workers_max == 1024 && submission_entries_min == 2 && submission_entries_max == 32768 &&
                  completion_entries_min == 4 && completion_entries_max == 65536 && blocking_threads_max == 1024 &&
                  blocking_queue_max == 1'000'000 && blocking_keep_alive_max == 3'600'000 &&
                  poll_sample_max == 1'000'000,
              "the table names the limits");
constexpr OptionEntry table[] = {
    entry<&Options::workers, Workers>("workers", "SKUA_WORKERS", "--workers", "auto or a number from 1 to 1024"),
    entry<&Options::backend, Name<Backend>>("backend", "SKUA_BACKEND", "--backend", "auto, io_uring or epoll"),
    entry<&Options::reactor_mode, Name<ReactorMode>>("reactor.mode", "SKUA_REACTOR_MODE", "--reactor-mode",
                                                     "workers or thread"),
    entry<&Options::submission_entries, SubmissionEntries>("io_uring.submission_entries",
                                                           "SKUA_IO_URING_SUBMISSION_ENTRIES",
                                                           "--io-uring-submission-entries", "a number from 2 to 32768"),
    entry<&Options::completion_entries, CompletionEntries>("io_uring.completion_entries",
                                                           "SKUA_IO_URING_COMPLETION_ENTRIES",
                                                           "--io-uring-completion-entries", "a number from 4 to 65536"),
    entry<&Options::blocking_threads, BlockingThreads>("blocking.threads", "SKUA_BLOCKING_THREADS",
                                                       "--blocking-threads", "a number from 1 to 1024"),
    entry<&Options::blocking_queue, BlockingPlaces>("blocking.queue", "SKUA_BLOCKING_QUEUE", "--blocking-queue",
                                                    "a number from 1 to 1000000"),
    entry<&Options::blocking_keep_alive_ms, KeepAlive>("blocking.keep_alive_ms", "SKUA_BLOCKING_KEEP_ALIVE_MS",
                                                       "--blocking-keep-alive-ms", "a number from 0 to 3600000"),
    entry<&Options::poll_sample, PollSample>("metrics.poll_sample", "SKUA_METRICS_POLL_SAMPLE", "--metrics-poll-sample",
                                             "a number from 0 to 1000000"),
    entry<&Options::schedule_latency, Name<bool>>("metrics.schedule_latency", "SKUA_METRICS_SCHEDULE_LATENCY",
                                                  "--metrics-schedule-latency", "off or on"),
    entry<&Options::control_listen, Endpoint>("control.listen", "SKUA_CONTROL_LISTEN", "--control-listen",
                                              "off, an absolute path, 127.0.0.1:PORT or [::1]:PORT"),
};

class OptionCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "skua.option"; }
  std::string message(int code) const override {
    if (code >= 0 && std::cmp_less(code, std::size(table))) return "expected " + std::string(table[code].expected);
    switch (static_cast<OptionFault>(code)) {
      case OptionFault::unknown_key: return "no such option";
      case OptionFault::value_missing: return "a value must follow";
      case OptionFault::bad_syntax: return "not valid TOML";
    }
    return "invalid option";
  }
  bool equivalent(int, const std::error_condition& condition) const noexcept override {
    return condition == std::errc::invalid_argument;
  }
};
constinit const OptionCategory category;

// Edits (insert, delete, replace a character) that turn one word into the other.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// `reactor.mode` is meant by its own name, by `mode` and by `reactor`.
std::size_t distance_to(const OptionEntry& entry, std::string_view key) {
  const auto dot = entry.key.find('.');
  if (dot == std::string_view::npos) return distance(key, entry.key);
  return std::min(
      {distance(key, entry.key), distance(key, entry.key.substr(0, dot)), distance(key, entry.key.substr(dot + 1))});
}

std::string_view nearest_key(std::string_view key) {
  return std::ranges::min_element(table, {}, [key](const OptionEntry& entry) { return distance_to(entry, key); })->key;
}

}  // namespace

std::span<const OptionEntry> option_table() noexcept { return table; }

std::error_code make_error_code(OptionFault fault) noexcept { return {static_cast<int>(fault), category}; }
Error value_not_allowed(const OptionEntry& entry, std::string_view value, const Origin& origin) {
  return Error(std::error_code(static_cast<int>(&entry - table), category), "option",
               std::string(entry.key) + " = \"" + std::string(value) + "\" (from " + origin.describe() + ")");
}

std::string Origin::describe() const {
  if (!detail.empty()) return detail;
  switch (source) {
    case Source::default_value: return "default";
    case Source::code: return "code";
    case Source::file: return "file";
    case Source::environment: return "environment";
    case Source::command_line: return "command line";
  }
  return "?";
}

Result<void> Options::set(std::string_view key, std::string_view value, const Origin& origin) {
  for (const OptionEntry& entry : table) {
    if (entry.key != key) continue;
    if (entry.set(*this, value, origin)) return {};
    return value_not_allowed(entry, value, origin);
  }
  return Error(
      make_error_code(OptionFault::unknown_key), "option",
      std::string(key) + " (from " + origin.describe() + "; did you mean " + std::string(nearest_key(key)) + "?)");
}

Result<void> Options::set_from_environment() {
  for (const OptionEntry& entry : table) {
    const char* const value = std::getenv(entry.variable);
    if (value == nullptr || *value == '\0') continue;  // `SKUA_WORKERS= ./server` means: not set
    if (auto done = set(entry.key, value, {Source::environment, entry.variable}); !done) return done;
  }
  return {};
}

const std::vector<std::string_view>& option_keys() {
  static const std::vector<std::string_view> keys = [] {
    std::vector<std::string_view> all;
    for (const OptionEntry& entry : table) all.push_back(entry.key);
    return all;
  }();
  return keys;
}

}  // namespace skua
