// A crawler of a web that is made up: tasks joined as they end, children that borrow, a deadline, an orderly stop.
#include <skua/skua.hpp>

#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

using Links = std::vector<std::string>;
const std::map<std::string, Links> web{{"home", {"news", "about"}}, {"news", {"home", "lost"}}, {"about", {"home"}}};

Task<Result<Links>> fetch(const std::string& page) {
  co_await sleep(1ms);
  const auto found = web.find(page);
  if (found == web.end()) co_return Error(std::errc::no_such_file_or_directory, "fetch", page);
  co_return found->second;
}

// docs:begin join_set
Task<Links> links_of(std::string page) {  // owns what it works on: a JoinSet that is dropped does not wait for it
  co_return (co_await fetch(page)).value_or(Links());
}

Task<std::size_t> crawl(std::string start) {
  std::set<std::string> seen{start};
  JoinSet<Links> loading;
  loading.spawn(links_of(start));
  while (auto links = co_await loading.join_next()) {  // in the order in which they end
    for (const std::string& link : links->value()) {
      if (seen.insert(link).second) loading.spawn(links_of(link));
    }
  }
  co_return seen.size();
}
// docs:end

// docs:begin scope
Task<Result<std::size_t>> links_of_both(std::string left, std::string right) {
  Scope scope;                                // after what the children borrow,
  auto from_left = scope.spawn(fetch(left));  // here the strings of this frame
  auto from_right = scope.spawn(fetch(right));
  co_await try_(scope.join());  // the first error has cancelled the other
  co_return (co_await from_left).value()->size() + (co_await from_right).value()->size();
}
// docs:end

// docs:begin locals
const TaskLocal<std::string, Inherit::yes> crawl_name;

Task<std::string> log_line(std::string text) {
  const std::string* const name = crawl_name.get();
  co_return (name == nullptr ? "?" : *name) + ": " + text;
}
Task<std::string> log_in_a_child() { co_return (co_await spawn_named("logger", log_line("done"))).value(); }
Task<std::string> log_of_tonight() { co_return co_await crawl_name.scope("nightly", log_in_a_child()); }
// docs:end

// docs:begin token
Task<int> refresh(CancellationToken stop) {
  int rounds = 0;
  while (co_await run_until_cancelled(stop, sleep(1ms))) {
    if (co_await fetch("home")) ++rounds;  // is not interrupted
  }
  std::printf("refreshed until: %s\n", std::string(to_string(*stop.reason())).c_str());
  co_return rounds;
}
// docs:end

// docs:begin deadline
Task<bool> is_answered_in_time() {
  const Result<void> answer = co_await with_deadline(Clock::now() + 5ms, sleep(24h));
  co_return answer.has_value();
}
// docs:end

Task<int> run() {
  const std::size_t pages = co_await crawl("home");
  const Result<std::size_t> links = co_await links_of_both("home", "news");
  const Result<std::size_t> failed = co_await links_of_both("home", "lost");
  const std::string logged = co_await log_of_tonight();
  const bool in_time = co_await is_answered_in_time();
  std::printf("%zu pages, %zu links, %s, %s\n", pages, *links, failed.error().message().c_str(), logged.c_str());

  const CancellationToken stop;
  auto refreshing = spawn(refresh(stop.child()));
  co_await sleep(50ms);
  stop.cancel(CancelReason::shutdown);
  const int rounds = (co_await refreshing).value();
  co_return pages == 4 && *links == 4 && !failed && logged == "nightly: done" && !in_time && rounds > 0 ? 0 : 1;
}

int main() {
  Runtime runtime;
  return runtime.block_on(run());
}
