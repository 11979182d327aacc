// Options from everywhere: the program's own defaults, one that nobody else sets, one that changes while it works.
//   SKUA_WORKERS=2 configuration [--blocking-threads 8] [--print-config]
#include <skua/config/load.hpp>
#include <skua/config/print.hpp>
#include <skua/skua.hpp>

#include <cstdio>
#include <string>
#include <utility>

using namespace skua;

int fail(const Error& error, int code) { return std::fprintf(stderr, "%s\n", error.message().c_str()), code; }

// docs:begin defaults
Options own_defaults() {
  Options options;
  options.blocking_threads.set(4, {Source::code, {}});  // a default: whoever runs the program may say otherwise
  options.reactor_mode.set(ReactorMode::thread, {Source::code, {}});
  options.lock("reactor.mode");  // final: to set it from outside is an error
  return options;
}
// docs:end

// docs:begin live
Result<void> prepare_for_the_night(const Handle& runtime) {
  if (auto done = runtime.reconfigure("blocking.threads", "32"); !done) return done;
  return runtime.reconfigure("blocking.keep_alive_ms", "60000");
}
// docs:end

void print(const Handle& runtime) {
  const Options now = runtime.configuration();
  std::printf("%u threads for calls that block, says %s\n", now.blocking_threads.value,
              now.blocking_threads.origin.describe().c_str());
}

// docs:begin main
int main(int argc, char** argv) {
  auto loaded = config::load(argc, argv, own_defaults());
  if (!loaded) return fail(loaded.error(), 2);
  if (loaded->is_to_print) return std::fputs(config::describe(loaded->options).c_str(), stdout), 0;
  if (!loaded->rest.empty()) return fail(config::unknown_argument(loaded->rest[0]), 2);  // it has no flags of its own

  auto runtime = Builder().options(std::move(loaded->options)).build();
  if (!runtime) return fail(runtime.error(), 1);
  print(runtime->handle());
  // docs:end
  if (auto done = prepare_for_the_night(runtime->handle()); !done) return fail(done.error(), 1);
  print(runtime->handle());
  if (runtime->handle().configuration().blocking_threads.value != 32) return 1;
  const auto refused = runtime->reconfigure("backend", "epoll");
  if (refused) return 1;
  std::printf("%s\n", refused.error().message().c_str());
}
