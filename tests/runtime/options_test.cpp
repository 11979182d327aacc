#include <skua/builder.hpp>
#include <skua/core/log.hpp>
#include <skua/option_table.hpp>
#include <skua/options.hpp>
#include <skua/runtime.hpp>

#include "environment.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

namespace skua {
namespace {

using tests::ScopedVariable;

std::string message_of(const Result<void>& result) { return result ? "" : result.error().message(); }

TEST(Options, defaults_are_auto_auto_workers) {
  const Options options;
  EXPECT_EQ(options.workers.value, workers_auto);
  EXPECT_EQ(options.backend.value, Backend::automatic);
  EXPECT_EQ(options.reactor_mode.value, ReactorMode::workers);
  EXPECT_EQ(options.workers.origin.describe(), "default");
}

TEST(Options, set_takes_every_allowed_value) {
  Options options;
  EXPECT_TRUE(options.set("workers", "1", {Source::code, {}}));
  EXPECT_EQ(options.workers.value, 1U);
  EXPECT_TRUE(options.set("workers", "1024", {Source::code, {}}));
  EXPECT_EQ(options.workers.value, 1024U);
  EXPECT_TRUE(options.set("workers", "auto", {Source::code, {}}));
  EXPECT_EQ(options.workers.value, workers_auto);
  EXPECT_TRUE(options.set("backend", "io_uring", {Source::code, {}}));
  EXPECT_EQ(options.backend.value, Backend::io_uring);
  EXPECT_TRUE(options.set("backend", "epoll", {Source::code, {}}));
  EXPECT_EQ(options.backend.value, Backend::epoll);
  EXPECT_TRUE(options.set("backend", "auto", {Source::code, {}}));
  EXPECT_EQ(options.backend.value, Backend::automatic);
  EXPECT_TRUE(options.set("reactor.mode", "thread", {Source::code, {}}));
  EXPECT_EQ(options.reactor_mode.value, ReactorMode::thread);
  EXPECT_TRUE(options.set("reactor.mode", "workers", {Source::code, {}}));
  EXPECT_EQ(options.reactor_mode.value, ReactorMode::workers);
}

TEST(Options, bad_values_name_key_value_origin_and_range) {
  Options options;
  EXPECT_EQ(message_of(options.set("workers", "banana", {Source::environment, "SKUA_WORKERS"})),
            "option workers = \"banana\" (from SKUA_WORKERS): expected auto or a number from 1 to 1024");
  EXPECT_EQ(message_of(options.set("backend", "kqueue", {Source::command_line, "--backend"})),
            "option backend = \"kqueue\" (from --backend): expected auto, io_uring or epoll");
  EXPECT_EQ(message_of(options.set("reactor.mode", "both", {Source::file, "skua.toml:3"})),
            "option reactor.mode = \"both\" (from skua.toml:3): expected workers or thread");
  EXPECT_EQ(message_of(options.set("workers", "0", {Source::code, {}})),
            "option workers = \"0\" (from code): expected auto or a number from 1 to 1024");
}

TEST(Options, workers_must_be_a_whole_number_in_range) {
  Options options;
  for (const char* bad : {"", "0", "1025", "-1", "+2", "2.5", " 2", "2 ", "2x", "0x2", "AUTO", "4294967298"}) {
    const auto result = options.set("workers", bad, {Source::code, {}});
    ASSERT_FALSE(result) << '"' << bad << '"';
    EXPECT_TRUE(result.error() == std::errc::invalid_argument);
  }
  EXPECT_EQ(options.workers.origin.source, Source::default_value) << "a refused value changes nothing";
}

TEST(Options, ring_sizes_are_numbers_in_range) {
  Options options;
  EXPECT_EQ(options.submission_entries.value, 256U);
  EXPECT_EQ(options.completion_entries.value, 4096U);
  for (const char* good : {"2", "3", "32768"}) {
    EXPECT_TRUE(options.set("io_uring.submission_entries", good, {Source::code, {}})) << good;
  }
  for (const char* good : {"4", "5000", "65536"}) {
    EXPECT_TRUE(options.set("io_uring.completion_entries", good, {Source::code, {}})) << good;
  }
  for (const char* bad : {"", "auto", "0", "1", "32769", "-2", "2.5"}) {
    EXPECT_FALSE(options.set("io_uring.submission_entries", bad, {Source::code, {}})) << bad;
  }
  for (const char* bad : {"", "auto", "0", "3", "65537", "4k"}) {
    EXPECT_FALSE(options.set("io_uring.completion_entries", bad, {Source::code, {}})) << bad;
  }
  EXPECT_EQ(message_of(options.set("io_uring.completion_entries", "3", {Source::file, "skua.toml:3"})),
            "option io_uring.completion_entries = \"3\" (from skua.toml:3): expected a number from 4 to 65536");
  EXPECT_EQ(options.submission_entries.value, 32768U);
  EXPECT_EQ(options.completion_entries.value, 65536U);
}

TEST(Options, unknown_key_names_the_nearest) {
  Options options;
  EXPECT_EQ(message_of(options.set("wrokers", "2", {Source::file, "skua.toml:1"})),
            "option wrokers (from skua.toml:1; did you mean workers?): no such option");
  EXPECT_EQ(message_of(options.set("back_end", "epoll", {Source::code, {}})),
            "option back_end (from code; did you mean backend?): no such option");
  EXPECT_EQ(message_of(options.set("mode", "thread", {Source::code, {}})),
            "option mode (from code; did you mean reactor.mode?): no such option");
  EXPECT_TRUE(options.set("wrokers", "2", {Source::code, {}}).error() == std::errc::invalid_argument);
}

TEST(Options, key_that_is_far_from_all_names_none) {
  Options options;
  EXPECT_EQ(message_of(options.set("listen_address", "x", {Source::file, "skua.toml:1"})),
            "option listen_address (from skua.toml:1): no such option");
}

TEST(Options, nearest_spelling_is_of_the_same_kind) {
  EXPECT_EQ(nearest_spelling("wrokers"), "workers");
  EXPECT_EQ(nearest_spelling("SKUA_WROKERS"), "SKUA_WORKERS");
  EXPECT_EQ(nearest_spelling("--wrokers"), "--workers");
  EXPECT_EQ(nearest_spelling("SKUA_MODE"), "SKUA_REACTOR_MODE");
  EXPECT_EQ(nearest_spelling("--keepalive-ms"), "--blocking-keep-alive-ms");
  EXPECT_EQ(nearest_spelling("--Workers"), "--workers");
  EXPECT_EQ(nearest_spelling("SKUA_CONFIGS"), "SKUA_CONFIG");
  EXPECT_EQ(nearest_spelling("--printconfig"), "--print-config");
  for (const char* far : {"", "x", "--", "SKUA_", "--port", "SKUA_VERSION", "--verbose", "listen_address"}) {
    EXPECT_EQ(nearest_spelling(far), "") << far;
  }
  EXPECT_EQ(nearest_spelling(std::string(100'000, 'w')), "");
}

TEST(Options, spellings_follow_from_the_key) {
  for (const OptionEntry& entry : option_table()) {
    std::string variable = "SKUA_" + std::string(entry.key);
    std::string flag = "--" + std::string(entry.key);
    for (char& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
    for (char& c : flag) c = c == '.' || c == '_' ? '-' : c;
    EXPECT_EQ(entry.variable, variable);
    EXPECT_EQ(entry.flag, flag);
  }
}

TEST(Options, each_row_says_what_it_is_for) {
  const Options defaults;
  for (const OptionEntry& entry : option_table()) {
    EXPECT_TRUE(entry.about.effect.ends_with(".")) << entry.key;
    EXPECT_TRUE(entry.about.when.ends_with(".")) << entry.key;
    EXPECT_EQ(entry.expected().starts_with("a number") || entry.expected().starts_with("auto or a number"),
              !entry.about.unit.empty())
        << entry.key;
    Options options;
    EXPECT_TRUE(options.set(entry.key, entry.value(defaults), {Source::code, {}})) << "the default is allowed";
  }
}

TEST(Options, locked_only_code_sets) {
  Options options;
  ASSERT_TRUE(options.set("workers", "2", {Source::code, {}}));
  options.lock("workers").lock("backend");
  EXPECT_EQ(message_of(options.set("workers", "4", {Source::environment, "SKUA_WORKERS"})),
            "option workers = \"4\" (from SKUA_WORKERS): locked by the program");
  EXPECT_EQ(message_of(options.set("backend", "epoll", {Source::file, "skua.toml:7"})),
            "option backend = \"epoll\" (from skua.toml:7): locked by the program");
  for (const Source outside : {Source::file, Source::environment, Source::command_line, Source::live}) {
    const auto result = options.set("workers", "2", {outside, {}});
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error() == std::errc::operation_not_permitted);
  }
  EXPECT_TRUE(options.set("workers", "3", {Source::code, {}})) << "code may";
  EXPECT_EQ(options.workers.value, 3U);
  EXPECT_TRUE(options.set("reactor.mode", "thread", {Source::command_line, {}})) << "others are not locked";
}

TEST(OptionsDeathTest, lock_of_what_is_no_option) {
  EXPECT_DEATH(Options().lock("wrokers"),
               "lock\\(\"wrokers\"\\): there is no such option. Did you mean \"workers\"\\?");
  EXPECT_DEATH(Options().lock("listen_address"), "skua config explain");
}

TEST(Options, lock_after_it_was_set_is_an_error_of_the_builder) {
  Options options;
  ASSERT_TRUE(options.set("workers", "2", {Source::file, "skua.toml:3"}));
  const auto runtime = Builder().options(options).lock("workers").build();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().message(), "option workers = \"2\" (from skua.toml:3): locked by the program");
  EXPECT_FALSE(Builder().lock("workers").options(options).build()) << "whatever the order";
}

TEST(Options, builder_locks_against_the_environment) {
  const ScopedVariable workers("SKUA_WORKERS", "3");
  const auto runtime = Builder().workers(2).lock("workers").build();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().message(), "option workers = \"3\" (from SKUA_WORKERS): locked by the program");
}

TEST(Options, weaker_source_does_not_replace_a_stronger_one) {
  constexpr Source sources[] = {Source::default_value, Source::code,         Source::file,
                                Source::environment,   Source::command_line, Source::live};
  for (const Source weak : sources) {
    for (const Source strong : sources) {
      if (weak >= strong) continue;
      Options rising;
      EXPECT_TRUE(rising.set("workers", "2", {weak, {}}));
      EXPECT_TRUE(rising.set("workers", "3", {strong, {}}));
      EXPECT_EQ(rising.workers.value, 3U);
      Options falling;
      EXPECT_TRUE(falling.set("workers", "3", {strong, {}}));
      EXPECT_TRUE(falling.set("workers", "2", {weak, {}}));
      EXPECT_EQ(falling.workers.value, 3U);
      EXPECT_EQ(falling.workers.origin.source, strong);
    }
  }
}

TEST(Options, environment_sets_all_keys) {
  const ScopedVariable workers("SKUA_WORKERS", "3");
  const ScopedVariable backend("SKUA_BACKEND", "epoll");
  const ScopedVariable mode("SKUA_REACTOR_MODE", "thread");
  const ScopedVariable submissions("SKUA_IO_URING_SUBMISSION_ENTRIES", "8");
  const ScopedVariable completions("SKUA_IO_URING_COMPLETION_ENTRIES", "16");
  Options options;
  ASSERT_TRUE(options.set_from_environment());
  EXPECT_EQ(options.workers.value, 3U);
  EXPECT_EQ(options.workers.origin.describe(), "SKUA_WORKERS");
  EXPECT_EQ(options.backend.value, Backend::epoll);
  EXPECT_EQ(options.reactor_mode.value, ReactorMode::thread);
  EXPECT_EQ(options.submission_entries.value, 8U);
  EXPECT_EQ(options.completion_entries.value, 16U);
}

TEST(Options, empty_variable_is_not_set) {
  const ScopedVariable workers("SKUA_WORKERS", "");
  Options options;
  ASSERT_TRUE(options.set_from_environment());
  EXPECT_EQ(options.workers.origin.source, Source::default_value);
}

TEST(Options, bad_variable_is_named) {
  const ScopedVariable workers("SKUA_WORKERS", "banana");
  Options options;
  EXPECT_EQ(message_of(options.set_from_environment()),
            "option workers = \"banana\" (from SKUA_WORKERS): expected auto or a number from 1 to 1024");
}

std::vector<std::string> logged;

TEST(Options, unknown_variable_is_a_warning_once_and_no_error) {
  static int round = 0;  // with --gtest_repeat each is a new one
  const std::string name = "SKUA_WORKERS" + std::string(1, static_cast<char>('A' + round++ % 26));
  const ScopedVariable misspelled(name, "2");
  const ScopedVariable own("SKUA_TEST_SOMETHING", "2");
  const ScopedVariable file("SKUA_CONFIG", "absent.toml");
  logged.clear();
  set_log_sink([](LogLevel level, std::string_view message) {
    if (level == LogLevel::warning) logged.emplace_back(message);
  });
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Options().set_from_environment());
  set_log_sink(nullptr);
  const bool is_first = round <= 26;
  EXPECT_EQ(logged, is_first
                        ? std::vector<std::string>{name + " is set, and means nothing to the runtime; did you mean " +
                                                   "SKUA_WORKERS?"}
                        : std::vector<std::string>());
}

TEST(Options, environment_is_taken_once) {
  Options options;
  ASSERT_TRUE(options.set_from_environment());
  const ScopedVariable later("SKUA_WORKERS", "3");
  ASSERT_TRUE(options.set_from_environment());
  EXPECT_EQ(options.workers.origin.source, Source::default_value);
}

TEST(Options, keys_are_listed) {
  EXPECT_EQ(option_keys(),
            (std::vector<std::string_view>{"workers", "workers_limit", "backend", "reactor.mode",
                                           "io_uring.submission_entries", "io_uring.completion_entries",
                                           "blocking.threads", "blocking.queue", "blocking.keep_alive_ms",
                                           "metrics.poll_sample", "metrics.schedule_latency", "control.listen"}));
}

TEST(Origin, describes_itself) {
  EXPECT_EQ((Origin{Source::default_value, {}}.describe()), "default");
  EXPECT_EQ((Origin{Source::code, {}}.describe()), "code");
  EXPECT_EQ((Origin{Source::file, "skua.toml:3"}.describe()), "skua.toml:3");
  EXPECT_EQ((Origin{Source::command_line, {}}.describe()), "command line");
}

}  // namespace
}  // namespace skua
