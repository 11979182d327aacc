// Functions that block, of libraries that know nothing of tasks: on threads that may wait.
#include <skua/skua.hpp>

#include <cstdio>
#include <string>
#include <thread>
#include <utility>

using namespace skua;
using namespace std::chrono_literals;

/// Stands for a driver of a data base, a compressor, a name service: it waits or computes, and may throw.
std::string look_up(const std::string& key) {
  std::this_thread::sleep_for(20ms);
  if (key.empty()) throw std::invalid_argument("a key is needed");
  return "value of " + key;
}

// docs:begin call
Task<Result<std::string>> find(std::string key) {
  auto call = [key = std::move(key)] { return look_up(key); };  // owns what it uses: it may run longer than this task
  co_return co_await unblock(std::move(call));
}
// docs:end

// docs:begin limited
Task<Result<std::string>> find_soon(std::string key, Duration limit) {
  co_return co_await timeout(limit, find(std::move(key)));  // waits no longer; the call itself goes on to its end
}
// docs:end

Task<Result<int>> all() {
  const std::string value = co_await try_(find("a"));
  std::puts(value.c_str());
  const auto late = co_await find_soon("b", 1ms);
  const auto in_time = co_await find_soon("b", 30s);
  int thrown = 0;
  try {
    std::ignore = co_await find("");  // what the function throws comes out of the await
  } catch (const std::invalid_argument& error) {
    std::puts(error.what());
    ++thrown;
  }
  const bool right = value == "value of a" && !late && late.error() == std::errc::timed_out && in_time && thrown == 1;
  co_return right ? 0 : 1;
}

int main() {
  Runtime runtime = Builder().blocking_threads(16).build().value();
  return runtime.block_on(all()).value();
}
