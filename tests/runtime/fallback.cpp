// Run under deny_io_uring: a runtime whose back end is `automatic` works on epoll and says so once in a process; one
// that insists on io_uring is an error that says why.
#include <skua/skua.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace skua;

namespace {

std::vector<std::string> messages;

bool expect(bool condition, const char* what) {
  if (!condition) std::printf("FAILED: %s\n", what);
  return condition;
}

}  // namespace

int main() {
  set_log_sink([](LogLevel, std::string_view message) { messages.emplace_back(message); });
  bool passed = true;
  for (int i = 0; i < 3; ++i) {
    auto runtime = Builder().workers(2).backend(Backend::automatic).build();
    passed &= expect(runtime.has_value(), "automatic works");
    passed &= expect(runtime->handle().options().backend.value == Backend::epoll, "it came to epoll");
    auto slept = runtime->spawn(sleep(std::chrono::milliseconds(1)));
    passed &= expect(runtime->block_on(std::move(slept)).has_value(), "tasks run and timers fire");
  }
  passed &= expect(messages.size() == 1, "the reason is logged once");
  passed &= expect(!messages.empty() && messages[0].find("Operation not permitted") != std::string::npos, "and said");
  auto refused = Builder().workers(1).backend(Backend::io_uring).build();
  passed &= expect(!refused && refused.error() == std::errc::operation_not_permitted, "io_uring alone is an error");
  std::printf("%s\n", passed ? "passed" : "failed");
  return passed ? 0 : 1;
}
