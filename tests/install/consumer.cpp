#include <skua/core/context.hpp>
#include <skua/core/task.hpp>
#include <skua/core/wake.hpp>
#include <skua/options.hpp>
#if defined(WITH_CONFIG)
#include <skua/config/load.hpp>
#endif

#include <cstdio>
#include <memory>
#include <utility>

namespace {

struct Nobody {
  void wake() noexcept {}
};

skua::Task<int> answer() {
  co_return 42;
}

}  // namespace

int main() {
  skua::Options options;
  if (!options.set("workers", "2", {skua::Source::code, {}})) return 1;
#if defined(WITH_CONFIG)
  std::printf("%s", skua::config::describe(options).c_str());
#endif
  skua::Waker waker = skua::make_waker(std::make_shared<Nobody>());
  skua::Context context(waker);
  skua::Task<int> task = answer();
  auto polled = task.poll(context);
  if (!polled.is_ready()) return 1;
  std::printf("%u processors, answer %d\n", skua::available_parallelism(), std::move(polled).take());
}
