#include <skua/config/load.hpp>
#include <skua/config/print.hpp>
#include <skua/option_table.hpp>

#include "environment.hpp"

#include <gtest/gtest.h>

namespace skua {
namespace {

using tests::ScopedDirectory;
using tests::ScopedVariable;

// Runs in an empty directory, without any SKUA_* variable.
class Config : public testing::Test {
 protected:
  Result<config::Loaded> load(std::vector<const char*> arguments, Options from_code = {}) {
    arguments.insert(arguments.begin(), "program");
    return config::load(static_cast<int>(arguments.size()), arguments.data(), std::move(from_code));
  }
  // What load_file() has against this content.
  std::string fault_of(const std::string& content) {
    directory_.write("skua.toml", content);
    Options options;
    const auto result = config::load_file(options, "skua.toml");
    if (result) return "";
    EXPECT_EQ(options.workers.origin.source, Source::default_value) << "an error leaves the options alone";
    return result.error().message();
  }
  static Options code(const char* workers) {
    Options options;
    EXPECT_TRUE(options.set("workers", workers, {Source::code, {}}));
    return options;
  }

  ScopedVariable workers_{"SKUA_WORKERS", nullptr};
  ScopedVariable backend_{"SKUA_BACKEND", nullptr};
  ScopedVariable mode_{"SKUA_REACTOR_MODE", nullptr};
  ScopedVariable submissions_{"SKUA_IO_URING_SUBMISSION_ENTRIES", nullptr};
  ScopedVariable completions_{"SKUA_IO_URING_COMPLETION_ENTRIES", nullptr};
  ScopedVariable config_{"SKUA_CONFIG", nullptr};
  ScopedDirectory directory_;
};

TEST_F(Config, nothing_set_is_the_default) {
  const auto loaded = load({}).value();
  EXPECT_EQ(loaded.options.workers.value, workers_auto);
  EXPECT_EQ(config::describe(loaded.options),
            "workers                       auto      default\n"
            "workers_limit                 auto      default\n"
            "backend                       auto      default\n"
            "reactor.mode                  workers   default\n"
            "io_uring.submission_entries   256       default\n"
            "io_uring.completion_entries   4096      default\n"
            "blocking.threads              64        default\n"
            "blocking.queue                1024      default\n"
            "blocking.keep_alive_ms        10000     default\n"
            "metrics.poll_sample           64        default\n"
            "metrics.schedule_latency      off       default\n"
            "control.listen                off       default\n");
}

TEST_F(Config, file_sets_all_keys) {
  directory_.write("skua.toml",
                   "# ours\nworkers = 2\nbackend = \"epoll\"\nworkers_limit = 4\n[reactor]\nmode = \"thread\"\n"
                   "[io_uring]\nsubmission_entries = 2\ncompletion_entries = 4\n"
                   "[blocking]\nthreads = 3\nkeep_alive_ms = 20\nqueue = 7\n"
                   "[metrics]\npoll_sample = 1\nschedule_latency = \"on\"\n[control]\nlisten = \"/a\"\n");
  const auto loaded = load({}).value();
  EXPECT_EQ(config::describe(loaded.options),
            "workers                       2        skua.toml:2\n"
            "workers_limit                 4        skua.toml:4\n"
            "backend                       epoll    skua.toml:3\n"
            "reactor.mode                  thread   skua.toml:6\n"
            "io_uring.submission_entries   2        skua.toml:8\n"
            "io_uring.completion_entries   4        skua.toml:9\n"
            "blocking.threads              3        skua.toml:11\n"
            "blocking.queue                7        skua.toml:13\n"
            "blocking.keep_alive_ms        20       skua.toml:12\n"
            "metrics.poll_sample           1        skua.toml:15\n"
            "metrics.schedule_latency      on       skua.toml:16\n"
            "control.listen                /a       skua.toml:18\n");
}

TEST_F(Config, workers_may_be_a_word_and_tables_inline_or_dotted) {
  directory_.write("skua.toml", "workers = \"auto\"\nreactor.mode = \"thread\"\n");
  auto loaded = load({}).value();
  EXPECT_EQ(loaded.options.workers.value, workers_auto);
  EXPECT_EQ(loaded.options.workers.origin.describe(), "skua.toml:1");
  EXPECT_EQ(loaded.options.reactor_mode.value, ReactorMode::thread);
  directory_.write("skua.toml", "reactor = { mode = \"workers\" }\n");
  EXPECT_EQ(load({}).value().options.reactor_mode.origin.describe(), "skua.toml:1");
}

// Precedence, pair by pair.

TEST_F(Config, file_beats_code) {
  directory_.write("skua.toml", "workers = 3\n");
  EXPECT_EQ(load({}, code("2")).value().options.workers.value, 3U);
}
TEST_F(Config, environment_beats_code) {
  const ScopedVariable workers("SKUA_WORKERS", "4");
  EXPECT_EQ(load({}, code("2")).value().options.workers.value, 4U);
}
TEST_F(Config, command_line_beats_code) {
  EXPECT_EQ(load({"--workers", "5"}, code("2")).value().options.workers.value, 5U);
}
TEST_F(Config, environment_beats_file) {
  directory_.write("skua.toml", "workers = 3\n");
  const ScopedVariable workers("SKUA_WORKERS", "4");
  EXPECT_EQ(load({}).value().options.workers.value, 4U);
}
TEST_F(Config, command_line_beats_file) {
  directory_.write("skua.toml", "workers = 3\n");
  EXPECT_EQ(load({"--workers=5"}).value().options.workers.value, 5U);
}
TEST_F(Config, command_line_beats_environment) {
  const ScopedVariable workers("SKUA_WORKERS", "4");
  const auto loaded = load({"--workers", "auto"}).value();
  EXPECT_EQ(loaded.options.workers.value, workers_auto);
  EXPECT_EQ(loaded.options.workers.origin.describe(), "--workers");
}
TEST_F(Config, code_beats_default) { EXPECT_EQ(load({}, code("2")).value().options.workers.origin.describe(), "code"); }

TEST_F(Config, command_line_leaves_the_rest_alone) {
  const auto loaded = load({"serve", "--workers", "2", "--port=80", "--backend=epoll", "-v", "--reactor-mode", "thread",
                            "--worker", "--", "--workers", "9"})
                          .value();
  EXPECT_EQ(loaded.options.workers.value, 2U);
  EXPECT_EQ(loaded.options.backend.value, Backend::epoll);
  EXPECT_EQ(loaded.options.reactor_mode.value, ReactorMode::thread);
  EXPECT_EQ(loaded.rest,
            (std::vector<std::string_view>{"serve", "--port=80", "-v", "--worker", "--", "--workers", "9"}));
}

TEST_F(Config, print_config_is_ours) {
  EXPECT_FALSE(load({"serve"}).value().is_to_print);
  const auto loaded = load({"serve", "--print-config", "--workers=2"}).value();
  EXPECT_TRUE(loaded.is_to_print);
  EXPECT_EQ(loaded.options.workers.value, 2U);
  EXPECT_EQ(loaded.rest, (std::vector<std::string_view>{"serve"}));
  EXPECT_FALSE(load({"--", "--print-config"}).value().is_to_print);
}

TEST_F(Config, argument_that_nobody_knows) {
  EXPECT_EQ(config::unknown_argument("--wrokers=4").message(),
            "option --wrokers (from command line; did you mean --workers?): no such option");
  EXPECT_EQ(config::unknown_argument("--mode").message(),
            "option --mode (from command line; did you mean --reactor-mode?): no such option");
  EXPECT_EQ(config::unknown_argument("--port").message(), "option --port (from command line): no such option");
  EXPECT_EQ(config::unknown_argument("what").message(), "argument what: Invalid argument");
  EXPECT_TRUE(config::unknown_argument("--port") == std::errc::invalid_argument);
}

TEST_F(Config, what_code_has_locked_nobody_sets) {
  Options options = code("2");
  options.lock("workers");
  EXPECT_EQ(load({}, options).value().options.workers.value, 2U);
  EXPECT_EQ(load({"--workers=3"}, options).error().message(),
            "option workers = \"3\" (from --workers): locked by the program");
  directory_.write("skua.toml", "\nworkers = 2\n");
  EXPECT_EQ(load({}, options).error().message(), "option workers = \"2\" (from skua.toml:2): locked by the program");
}

TEST_F(Config, last_of_two_flags_wins) {
  EXPECT_EQ(load({"--workers=2", "--workers=3"}).value().options.workers.value, 3U);
}

TEST_F(Config, command_line_errors) {
  EXPECT_EQ(load({"--workers"}).error().message(), "option --workers: a value must follow");
  EXPECT_EQ(load({"--workers="}).error().message(),
            "option workers = \"\" (from --workers): expected auto or a number from 1 to 1024");
  EXPECT_EQ(load({"--backend", "kqueue"}).error().message(),
            "option backend = \"kqueue\" (from --backend): expected auto, io_uring or epoll");
}

TEST_F(Config, skua_config_names_the_file) {
  directory_.write("skua.toml", "workers = 3\n");
  directory_.write("other/server.toml", "workers = 7\n");
  const ScopedVariable chosen("SKUA_CONFIG", "other/server.toml");
  const auto loaded = load({}).value();
  EXPECT_EQ(loaded.options.workers.value, 7U);
  EXPECT_EQ(loaded.options.workers.origin.describe(), "other/server.toml:1");
}

TEST_F(Config, missing_file_is_an_error_only_if_it_was_asked_for) {
  EXPECT_TRUE(load({}));
  const ScopedVariable chosen("SKUA_CONFIG", "absent.toml");
  const auto loaded = load({});
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error() == std::errc::no_such_file_or_directory);
  EXPECT_EQ(loaded.error().message(), "open absent.toml: No such file or directory");
}

TEST_F(Config, directory_instead_of_a_file) {
  Options options;
  const auto result = config::load_file(options, directory_.path());
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error() == std::errc::is_a_directory) << result.error().message();
}

TEST_F(Config, empty_file_is_fine) { EXPECT_EQ(fault_of(""), ""); }

TEST_F(Config, unknown_keys_have_file_line_and_nearest) {
  EXPECT_EQ(fault_of("backend = \"epoll\"\nwrokers = 2\n"),
            "option wrokers (from skua.toml:2; did you mean workers?): no such option");
  EXPECT_EQ(fault_of("[reactor]\nmood = \"thread\"\n"),
            "option reactor.mood (from skua.toml:2; did you mean reactor.mode?): no such option");
  EXPECT_EQ(fault_of("\n[reactors]\nmode = \"thread\"\n"),
            "option reactors (from skua.toml:2; did you mean reactor.mode?): no such option");
  EXPECT_EQ(fault_of("mode = \"thread\"\n"),
            "option mode (from skua.toml:1; did you mean reactor.mode?): no such option");
}

TEST_F(Config, bad_values_have_file_line_and_range) {
  EXPECT_EQ(fault_of("\n\nworkers = 0\n"),
            "option workers = \"0\" (from skua.toml:3): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("workers = -1\n"),
            "option workers = \"-1\" (from skua.toml:1): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("workers = true\n"),
            "option workers = \"true\" (from skua.toml:1): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("workers = 2.5\n"),
            "option workers = \"2.5\" (from skua.toml:1): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("workers = [1, 2]\n"),
            "option workers = \"[ 1, 2 ]\" (from skua.toml:1): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("[workers]\nmax = 2\n"),
            "option workers = \"{...}\" (from skua.toml:1): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of("[reactor]\nmode = \"both\"\n"),
            "option reactor.mode = \"both\" (from skua.toml:2): expected workers or thread");
}

TEST_F(Config, check_finds_everything_in_the_order_of_the_lines) {
  directory_.write("skua.toml",
                   "wrokers = 2\nbackend = \"kqueue\"\n[blocking]\nqueue = 0\nthreads = 4\n[a_table]\nx = 1\n");
  std::vector<std::string> found;
  for (const Error& error : config::check_file("skua.toml")) found.push_back(error.message());
  EXPECT_EQ(found, (std::vector<std::string>{
                       "option wrokers (from skua.toml:1; did you mean workers?): no such option",
                       "option backend = \"kqueue\" (from skua.toml:2): expected auto, io_uring or epoll",
                       "option blocking.queue = \"0\" (from skua.toml:4): expected a number from 1 to 1000000",
                       "option a_table (from skua.toml:6): no such option",
                   }));
  directory_.write("skua.toml", "workers = 2\n");
  EXPECT_TRUE(config::check_file("skua.toml").empty());
  ASSERT_EQ(config::check_file("absent.toml").size(), 1U);
  EXPECT_EQ(config::check_file("absent.toml")[0].message(), "open absent.toml: No such file or directory");
}

TEST_F(Config, numbers_may_be_written_as_toml_has_them) {
  Options options;
  ASSERT_TRUE(config::load_text(options, "workers = 0x10\nblocking.queue = 1_000\n", "text"));
  EXPECT_EQ(options.workers.value, 16U);
  EXPECT_EQ(options.blocking_queue.value, 1000U);
  EXPECT_EQ(options.workers.origin.describe(), "text:1");
}

// Also that the rows of a table stand together.
TEST_F(Config, written_as_toml_it_can_be_read_again) {
  Options all;
  for (const OptionEntry& entry : option_table()) {
    ASSERT_TRUE(all.set(entry.key, entry.value(Options{}), {Source::code, {}}));
  }
  ASSERT_TRUE(all.set("workers", "3", {Source::code, {}}));
  ASSERT_TRUE(all.set("backend", "epoll", {Source::code, {}}));
  ASSERT_TRUE(all.set("control.listen", "/run/\"a\\b'\tc.sock", {Source::code, {}}));
  for (const auto style : {config::TomlStyle::full, config::TomlStyle::brief}) {
    Options read;
    const auto done = config::load_text(read, config::to_toml(all, style), "text");
    ASSERT_TRUE(done) << done.error().message();
    for (const OptionEntry& entry : option_table()) {
      EXPECT_EQ(entry.value(read), entry.value(all)) << entry.key;
      EXPECT_EQ(entry.origin(read).source, Source::file) << entry.key;
    }
  }
}

TEST_F(Config, keys_that_nobody_has_set_are_comments_in_the_full_toml) {
  Options options;
  ASSERT_TRUE(config::load_text(options, config::to_toml(Options{}), "text"));
  EXPECT_EQ(options.workers.origin.source, Source::default_value);
  const std::string text = config::to_toml(code("3"));
  EXPECT_NE(text.find("\nworkers = 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n[reactor]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n# mode = \"workers\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n# workers or thread; SKUA_REACTOR_MODE\n"), std::string::npos) << text;
  ASSERT_TRUE(config::load_text(options, text, "text"));
  EXPECT_EQ(options.workers.value, 3U);
}

TEST_F(Config, syntax_errors_have_line_and_column) {
  const std::string fault = fault_of("backend = \"epoll\"\nworkers = = 2\n");
  EXPECT_EQ(fault.rfind("option file skua.toml:2:11 (", 0), 0U) << fault;
  EXPECT_NE(fault.find("): not valid TOML"), std::string::npos) << fault;
  Options options;
  EXPECT_TRUE(config::load_file(options, "skua.toml").error() == std::errc::invalid_argument);
}

// toml++ has assertions about these.
TEST_F(Config, table_headers_that_are_no_names) {
  for (const char* text : {"[.1", "[=", "[[.x]]", "workers = 2\n[,"}) {
    EXPECT_EQ(fault_of(text), "option file skua.toml (toml++ cannot parse it): not valid TOML") << text;
  }
}

}  // namespace
}  // namespace skua
