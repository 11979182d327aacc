// The smallest program: a task that sleeps, and one that joins it.
#include <skua/skua.hpp>

#include <cstdio>

// docs:begin hello
using namespace skua;
using namespace std::chrono_literals;

Task<int> answer() {
  co_await sleep(10ms);
  co_return 42;
}

Task<int> hello() {
  JoinHandle<int> handle = spawn(answer());  // runs on a worker, from now on
  std::puts("hello");
  co_return (co_await handle).value();  // throws what the task threw
}

int main() {
  Runtime runtime;
  return runtime.block_on(hello()) == 42 ? 0 : 1;
}
// docs:end
