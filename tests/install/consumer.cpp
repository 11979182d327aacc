#include <skua/skua.hpp>
#if defined(WITH_CONFIG)
#include <skua/config/load.hpp>
#include <skua/config/print.hpp>
#endif

#include <chrono>
#include <cstdio>
#include <utility>

namespace {

skua::Task<int> half(int number) {
  co_await skua::sleep(std::chrono::milliseconds(1));
  co_return number / 2;
}

skua::Task<int> answer() {
  auto task = skua::spawn(half(84));
  co_return (co_await std::move(task)).value();
}

}  // namespace

int main() {
#if defined(WITH_CONFIG)
  std::printf("%s", skua::config::describe(skua::Options{}).c_str());
#endif
  skua::Runtime runtime;
  const int result = runtime.block_on(answer());
  std::printf("%u processors, answer %d\n", skua::available_parallelism(), result);
  return result == 42 ? 0 : 1;
}
