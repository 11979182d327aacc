#include <skua/option_table.hpp>
#include <skua/option_value.hpp>
#include <skua/reconfigure.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace skua {

namespace {

using namespace option_value;

// The spellings of a key, made by the compiler: "reactor.mode" is SKUA_REACTOR_MODE and --reactor-mode.
template <std::size_t Size>
struct Key {
  std::array<char, Size> text;
  consteval Key(const char (&literal)[Size]) { std::copy_n(literal, Size, text.begin()); }
};

constexpr char in_variable(char c) { return c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char in_flag(char c) { return c == '.' || c == '_' ? '-' : c; }

template <Key Of, std::size_t Prefix>
constexpr auto spelled(const char (&prefix)[Prefix], char (*one)(char)) {
  std::array<char, Prefix - 1 + Of.text.size()> all{};
  std::copy_n(prefix, Prefix - 1, all.begin());
  std::transform(Of.text.begin(), Of.text.end(), all.begin() + Prefix - 1, one);
  return all;
}

template <Key Of>
constexpr auto key_of = Of.text;
template <Key Of>
constexpr auto variable_of = spelled<Of>("SKUA_", in_variable);
template <Key Of>
constexpr auto flag_of = spelled<Of>("--", in_flag);

template <Key Of, auto Member, class Type>
constexpr OptionEntry row(OptionAbout about) {
  return {key_of<Of>.data(),
          variable_of<Of>.data(),
          flag_of<Of>.data(),
          Type::expected,
          about,
          [](Options& options, std::string_view text, Origin origin) {
            auto value = (options.*Member).value;
            if (!Type::parse(text, value)) return false;
            (options.*Member).set(value, std::move(origin));
            return true;
          },
          [](const Options& options) { return Type::print((options.*Member).value); },
          [](const Options& options) -> const Origin& { return (options.*Member).origin; },
          [](Options& options) -> bool& { return (options.*Member).is_locked; }};
}

constexpr OptionEntry table[] = {
    row<"workers", &Options::workers, AutoOr<Number<1, workers_max>, workers_auto>>({
        .unit = "threads",
        .effect = "How many worker threads run tasks; auto: as many as the processors that the process may use.",
        .when = "Fewer, if the machine has other work to do. More than there are processors only if tasks block.",
        .apply = apply_workers,
    }),
    row<"workers_limit", &Options::workers_limit, AutoOr<Number<1, workers_max>, workers_limit_auto>>({
        .unit = "threads",
        .effect = "The most workers there may be later; auto: as many as are started, more if `workers` is auto.",
        .when = "More, if `workers` shall grow while the program runs. Each not in use costs a thread and a ring.",
    }),
    row<"backend", &Options::backend, Name<Backend>>({
        .effect = "The kernel interface for descriptors; auto: io_uring, or epoll where io_uring is refused.",
        .when = "epoll, to compare the two. io_uring, if the program shall not start where it is refused.",
    }),
    row<"reactor.mode", &Options::reactor_mode, Name<ReactorMode>>({
        .effect = "Who waits for descriptors and timers: each worker for those of its tasks, or one thread for all.",
        .when = "thread, if tasks compute for milliseconds and others wait for events meanwhile.",
    }),
    row<"io_uring.submission_entries", &Options::submission_entries,
        Number<submission_entries_min, submission_entries_max>>({
        .unit = "entries",
        .effect = "Requests that a ring takes before it has to enter the kernel. A worker has a ring.",
        .when = "More, if thousands of sockets of one worker begin to wait at the same time.",
    }),
    row<"io_uring.completion_entries", &Options::completion_entries,
        Number<completion_entries_min, completion_entries_max>>({
        .unit = "entries",
        .effect = "Events that a ring holds until its worker looks; never fewer than submission entries.",
        .when = "More, if events come in bursts of thousands; fewer, if locked memory is short.",
    }),
    row<"blocking.threads", &Options::blocking_threads, Number<1, blocking_threads_max>>({
        .unit = "threads",
        .effect = "The most threads for calls that block: unblock(), spawn_blocking(), on epoll files.",
        .when = "More, if such calls wait for each other while processors are idle; fewer, to spare what they call.",
        .apply = apply_blocking_pool,
    }),
    row<"blocking.queue", &Options::blocking_queue, Number<1, blocking_queue_max>>({
        .unit = "functions",
        .effect = "The most functions of spawn_blocking() that wait for a thread; who comes then waits.",
        .when = "Fewer, to push back sooner; more, for bursts of small functions.",
        .apply = apply_blocking_queue,
    }),
    row<"blocking.keep_alive_ms", &Options::blocking_keep_alive_ms, Number<0, blocking_keep_alive_max>>({
        .unit = "ms",
        .effect = "How long a thread for blocking calls stays when it has nothing to do.",
        .when = "Longer, if calls come in bursts with longer pauses: threads need not be started again.",
        .apply = apply_blocking_pool,
    }),
    row<"metrics.poll_sample", &Options::poll_sample, Number<0, poll_sample_max>>({
        .unit = "polls",
        .effect = "One poll of so many is timed, for the histogram of poll times; 0: none.",
        .when = "1, to see each; 0, if two looks at the clock in so many polls are too much.",
    }),
    row<"metrics.schedule_latency", &Options::schedule_latency, Name<bool>>({
        .effect = "Whether the time from the wake of a task to its poll is measured, for the histogram.",
        .when = "on, while you look for why answers are late. It costs two looks at the clock for each poll.",
    }),
    row<"control.listen", &Options::control_listen, Endpoint>({
        .effect = "Where the control endpoint listens: the path of a Unix socket, or a port of this host.",
        .when = "To ask a running program what it does, also when it is stuck: see docs/operators.md.",
    }),
};

class OptionCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "skua.option"; }
  std::string message(int code) const override {
    if (code >= 0 && std::cmp_less(code, std::size(table))) return "expected " + table[code].expected();
    switch (static_cast<OptionFault>(code)) {
      case OptionFault::unknown_key: return "no such option";
      case OptionFault::value_missing: return "a value must follow";
      case OptionFault::bad_syntax: return "not valid TOML";
      case OptionFault::locked: return "locked by the program";
      case OptionFault::needs_restart: return "cannot change while the runtime works: needs a restart";
    }
    return "invalid option";
  }
  bool equivalent(int code, const std::error_condition& condition) const noexcept override {
    switch (static_cast<OptionFault>(code)) {
      case OptionFault::locked: return condition == std::errc::operation_not_permitted;
      case OptionFault::needs_restart: return condition == std::errc::operation_not_supported;
      default: return condition == std::errc::invalid_argument;
    }
  }
};
const OptionCategory category;

std::string attempt(const OptionEntry& entry, std::string_view value, const Origin& origin) {
  return std::string(entry.key) + " = \"" + std::string(value) + "\" (from " + origin.describe() + ")";
}

}  // namespace

std::string OptionEntry::takes() const {
  return about.unit.empty() ? expected() : expected() + " (" + std::string(about.unit) + ")";
}

std::span<const OptionEntry> option_table() noexcept { return table; }

const OptionEntry* find_option(std::string_view key) noexcept {
  const auto* const found = std::ranges::find(table, key, &OptionEntry::key);
  return found == std::end(table) ? nullptr : found;
}

std::error_code make_error_code(OptionFault fault) noexcept { return {static_cast<int>(fault), category}; }

Error value_not_allowed(const OptionEntry& entry, std::string_view value, const Origin& origin) {
  return Error(std::error_code(static_cast<int>(&entry - table), category), "option", attempt(entry, value, origin));
}

Error unknown_option(std::string_view spelled, const Origin& origin) {
  const std::string nearest = nearest_spelling(spelled);
  const std::string hint = nearest.empty() ? "" : "; did you mean " + nearest + "?";
  return Error(make_error_code(OptionFault::unknown_key), "option",
               std::string(spelled) + " (from " + origin.describe() + hint + ")");
}

Error locked_option(const OptionEntry& entry, std::string_view value, const Origin& origin) {
  return Error(make_error_code(OptionFault::locked), "option", attempt(entry, value, origin));
}

Error needs_restart(const OptionEntry& entry, std::string_view value, const Origin& origin) {
  return Error(make_error_code(OptionFault::needs_restart), "option", attempt(entry, value, origin));
}

Error above_limit(const Options& options) {
  const auto describe = [](std::string_view key, const Setting<std::uint32_t>& setting) {
    return std::string(key) + " = \"" + std::to_string(setting.value) + "\" (from " + setting.origin.describe() + ")";
  };
  return Error(
      std::errc::invalid_argument, "option",
      describe("workers", options.workers) + " is more than " + describe("workers_limit", options.workers_limit));
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
