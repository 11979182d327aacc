// Sessions that end when they have not been used for a while: one task, one timer, however many there are.
#include <skua/skua.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin sessions
/// Ends a session that nobody has used for `idle`. Names come by `used`; when the channel is closed, the rest runs out.
Task<int> end_idle_sessions(Receiver<std::string> used, Duration idle) {
  DelayQueue<std::string> sessions(10'000);
  std::map<std::string, DelayKey> keys;
  bool is_open = true;
  for (int ended = 0;;) {
    auto first = co_await select(when(is_open, used.receive()), when(!sessions.is_empty(), sessions.next()), otherwise);
    if (first.index() == 2) co_return ended;  // neither: the channel is closed and no session is left
    if (first.index() == 1) {
      const auto expired = std::get<1>(std::move(first));
      std::printf("%s has ended\n", expired->value.c_str());
      keys.erase(expired->value);
      ++ended;
    } else if (auto name = std::get<0>(std::move(first))) {
      const auto known = keys.find(*name);
      if (known != keys.end()) {
        sessions.reset(known->second, Clock::now() + idle);
      } else if (const auto key = sessions.insert(*name, Clock::now() + idle)) {
        keys.emplace(*std::move(name), *key);
      } else {
        std::printf("%s is refused: %s\n", name->c_str(), key.error().message().c_str());
      }
    } else {
      is_open = false;
    }
  }
}
// docs:end

Task<int> visits() {
  auto [use, used] = channel<std::string>(16);
  auto sessions = spawn(end_idle_sessions(std::move(used), 30s));
  for (const char* const name : {"anna", "ben", "carl"}) static_cast<void>(co_await use.send(name));
  for (int i = 0; i < 5; ++i) {
    co_await sleep(10s);
    static_cast<void>(co_await use.send("ben"));  // he stays for longer
  }
  {
    const auto last = std::move(use);
  }
  co_return (co_await sessions).value();
}

int main() {
  Runtime runtime = Builder().clock(VirtualClock()).build().value();  // half a minute takes no time
  return runtime.block_on(visits()) == 3 ? 0 : 1;
}
