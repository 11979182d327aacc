#include <skua/options.hpp>

#include "environment.hpp"

#include <gtest/gtest.h>

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

TEST(Options, weaker_source_does_not_replace_a_stronger_one) {
  constexpr Source sources[] = {Source::default_value, Source::code, Source::file, Source::environment,
                                Source::command_line};
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

TEST(Options, keys_are_listed) {
  EXPECT_EQ(option_keys(),
            (std::vector<std::string_view>{"workers", "backend", "reactor.mode", "io_uring.submission_entries",
                                           "io_uring.completion_entries", "blocking.threads", "blocking.queue",
                                           "blocking.keep_alive_ms", "metrics.poll_sample", "metrics.schedule_latency",
                                           "control.listen"}));
}

TEST(Origin, describes_itself) {
  EXPECT_EQ((Origin{Source::default_value, {}}.describe()), "default");
  EXPECT_EQ((Origin{Source::code, {}}.describe()), "code");
  EXPECT_EQ((Origin{Source::file, "skua.toml:3"}.describe()), "skua.toml:3");
  EXPECT_EQ((Origin{Source::command_line, {}}.describe()), "command line");
}

}  // namespace
}  // namespace skua
