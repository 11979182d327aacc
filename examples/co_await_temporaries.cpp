// What may stand inside a co_await expression with g++ 12, and what needs a name first. See docs/footguns.md.
#include <skua/skua.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

using namespace skua;

struct Greeting {  // an aggregate: no constructor
  std::string name;
  int times;
};

Task<std::string> greet(Greeting greeting) {
  std::string text;
  for (int i = 0; i < greeting.times; ++i) {
    text += greeting.name;
    text += "! ";
    co_await yield_now();
  }
  co_return text;
}

// docs:begin name_first
Task<std::string> greet_twice(std::string name) {
  Greeting greeting{std::move(name), 2};  // a name of its own, outside of the co_await expression
  co_return co_await greet(std::move(greeting));
}

Task<std::string> greet_in_a_task(std::string name) {
  auto greeter = [name] { return greet_twice(name); };  // the same for a lambda that captures
  JoinHandle<std::string> handle = spawn(std::move(greeter));
  co_return (co_await handle).value();
}
// docs:end

// docs:begin no_conditional
Task<std::string> greet_unless(std::optional<std::string> known, std::string name) {
  if (!known) known = co_await greet_twice(std::move(name));  // not: known ? *std::move(known) : co_await ...
  co_return *std::move(known);
}
// docs:end

int main() {
  Runtime runtime;
  const std::string name = "a name too long to be kept inside of the string object itself";
  const std::string expected = name + "! " + name + "! ";
  const bool directly = runtime.block_on(greet_twice(name)) == expected;
  const bool in_a_task = runtime.block_on(greet_in_a_task(name)) == expected;
  const bool by_an_if = runtime.block_on(greet_unless(std::nullopt, name)) == expected;
  const bool right = directly && in_a_task && by_an_if;
  std::puts(right ? "each temporary was destroyed once" : "wrong text");
  return right ? 0 : 1;
}
