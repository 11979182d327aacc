// Tasks that work together: a pool of workers behind a channel, a limit, settings that change, a value made once.
#include <skua/skua.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

struct Job {
  int number = 0;
  OneshotSender<std::string> reply;
};

// docs:begin workers
Task<> work(Receiver<Job> jobs) {
  while (std::optional<Job> job = co_await jobs.receive()) {
    co_await sleep(1ms);
    static_cast<void>(job->reply.send("done " + std::to_string(job->number)));  // nobody waits any more: so be it
  }
}

Task<Result<std::string>> ask(Sender<Job> jobs, int number) {
  auto [reply, answer] = oneshot<std::string>();
  Job job{number, std::move(reply)};         // not inside of the co_await: see docs/footguns.md
  co_await try_(jobs.send(std::move(job)));  // waits while there is no room
  co_return co_await answer;
}

Task<Result<std::vector<std::string>>> ask_workers() {
  auto [sender, receiver] = channel<Job>(16);
  std::vector<JoinHandle<void>> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(spawn(work(receiver)));
  std::vector<std::string> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(co_await try_(ask(sender, i)));
  {
    const auto last = std::move(sender);
  }  // the last sender goes: the workers come to their end
  for (JoinHandle<void>& worker : workers) static_cast<void>(co_await std::move(worker));
  co_return answers;
}
// docs:end

// docs:begin limit
struct Limited {
  Semaphore slots{3};
  Mutex<int> most{0};
  std::atomic<int> now{0};
};

Task<Result<void>> fetch(Limited& limited) {
  const SemaphorePermit<> slot = co_await try_(limited.slots.acquire());  // given back at the end of the scope
  const int together = ++limited.now;
  {
    auto most = co_await limited.most.lock();
    *most = std::max(*most, together);
  }
  co_await sleep(2ms);
  --limited.now;
  co_return {};
}
// docs:end

Task<int> most_at_once() {
  Limited limited;
  std::vector<JoinHandle<Result<void>>> tasks;
  for (int i = 0; i < 12; ++i) tasks.push_back(spawn(fetch(limited)));
  for (auto& task : tasks) static_cast<void>(co_await std::move(task));
  co_return *co_await limited.most.lock();
}

// docs:begin watch
Task<int> follow(WatchReceiver<int> limits) {
  int seen = 0;
  while (co_await limits.changed()) seen = *limits.latest();  // ends when the sender goes
  co_return seen;
}

Task<int> change_settings() {
  auto [sender, receiver] = watch<int>(10);
  JoinHandle<int> follower = spawn(follow(receiver));
  for (const int limit : {20, 30, 40}) sender.send(limit);
  {
    const auto gone = std::move(sender);
  }
  co_return (co_await std::move(follower)).value();
}
// docs:end

// docs:begin once
Task<std::string> open_connection() {
  std::puts("connecting");
  co_await sleep(5ms);
  co_return std::string("connection");
}

Task<const std::string*> shared_connection(OnceCell<std::string>& cell) {
  co_return co_await cell.get_or_init(open_connection);
}
// docs:end

Task<bool> connects_once() {
  OnceCell<std::string> cell;
  auto [first, second] = co_await join(shared_connection(cell), shared_connection(cell));
  co_return first == second && *first == "connection";
}

Task<int> all() {
  const auto answers = co_await ask_workers();
  const int together = co_await most_at_once();
  const int last = co_await change_settings();
  const bool once = co_await connects_once();
  std::printf("%zu answers, the last \"%s\"; %d at once; limit %d\n", answers->size(), answers->back().c_str(),
              together, last);
  co_return answers->size() == 10 && answers->back() == "done 9" && together <= 3 && last == 40 && once ? 0 : 1;
}

int main() {
  Runtime runtime = Builder().build().value();
  return runtime.block_on(all());
}
