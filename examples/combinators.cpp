// Several futures in one task: the first, all of them, as they come, again until it succeeds.
#include <skua/skua.hpp>
#include <skua/streams.hpp>

#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

/// Stands for a request: takes a while, and fails for a negative number.
Task<Result<std::string>> fetch(int number) {
  co_await sleep(std::chrono::milliseconds(number % 3));
  if (number < 0) co_return Error(std::errc::connection_refused, "fetch", std::to_string(number));
  co_return "page " + std::to_string(number);
}

// docs:begin select
/// Takes up one number each millisecond, and lets up to three more wait.
Task<int> sum_slowly(Generator<int> numbers) {
  Interval pace = interval(1ms);
  std::deque<int> waiting;
  bool has_ended = false;
  for (int sum = 0;;) {
    auto first = co_await select(when(!has_ended && waiting.size() < 3, next(numbers)),  // not polled if it is off
                                 when(!waiting.empty(), pace.tick()),
                                 otherwise);  // both are off
    if (first.index() == 2) co_return sum;
    if (first.index() == 1) {
      sum += waiting.front();
      waiting.pop_front();
    } else if (const std::optional<int> number = std::get<0>(first)) {
      waiting.push_back(*number);
    } else {
      has_ended = true;
    }
  }
}
// docs:end

// docs:begin first
Task<Result<std::string>> from_the_faster() {
  co_return co_await timeout(5s, race(fetch(1), fetch(2)));  // the slower one is cancelled
}
// docs:end

// docs:begin all
Task<Result<std::size_t>> total_size(int count) {
  std::vector<Task<Result<std::string>>> fetches;
  for (int i = 0; i < count; ++i) fetches.push_back(fetch(i));
  std::size_t total = 0;
  for (const std::string& page : co_await try_(try_join_all(std::move(fetches)))) total += page.size();
  co_return total;
}
// docs:end

// docs:begin as_they_come
Task<int> print_as_they_come(int count) {
  FuturesUnordered<AnyFuture<Result<std::string>>> pages;  // of different types
  for (int i = 0; i < count; ++i) pages.push(fetch(i));
  pages.push(timeout(1s, fetch(-1)));
  int failures = 0;
  while (const std::optional<Result<std::string>> page = co_await next(pages)) {
    if (*page) std::printf("%s\n", (*page)->c_str());
    failures += *page ? 0 : 1;
  }
  co_return failures;
}
// docs:end

// docs:begin retry
Task<Result<std::string>> fetch_in_the_end(int& tries) {
  auto attempt = [&tries] { return fetch(++tries - 3); };  // a name of its own: g++ 12
  auto is_transient = [](const Error& error) { return error == std::errc::connection_refused; };
  const Backoff backoff = Backoff().first(1ms).longest(1s).tries(8).total(1min);
  co_return co_await retry(backoff, attempt, is_transient);
}
// docs:end

Generator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) co_yield i;
}

int main() {
  Runtime runtime;
  int tries = 0;
  const bool right = runtime.block_on(sum_slowly(count_to(5))) == 15 &&
                     runtime.block_on(from_the_faster()).has_value() &&
                     runtime.block_on(total_size(10)).value() == 60 && runtime.block_on(print_as_they_come(3)) == 1 &&
                     runtime.block_on(fetch_in_the_end(tries)).value() == "page 0" && tries == 3;
  std::printf("%s\n", right ? "all as it should be" : "something is wrong");
  return right ? 0 : 1;
}
