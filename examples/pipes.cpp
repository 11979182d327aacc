// A program of another kind as part of this one: what is written to a pipe goes through tr(1) and comes back by
// another.
#include <skua/skua.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

using namespace skua;

/// Starts `tr a-z A-Z` on two descriptors. (posix_spawn keeps this example about pipes.)
Result<pid_t> start_tr(const OwnedFd& in, const OwnedFd& out) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::array<const char*, 4> arguments{"tr", "a-z", "A-Z", nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "tr", &actions, nullptr, const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_error(error, "spawn", "tr");
  return pid;
}

// docs:begin pipes
Task<Result<void>> send(PipeWriter to, std::string text) {
  co_await try_(to.write_all(text));
  co_return {};  // `to` closes: the program reads the end
}

Task<Result<std::string>> receive(PipeReader& from) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await try_(from.read(buffer));
    if (n == 0) co_return text;
    text.append(buffer.data(), n);
  }
}

Task<Result<std::string>> upper_case(std::string text) {
  Pipe there = co_await try_(pipe());
  Pipe back = co_await try_(pipe());
  {
    // The program's ends do not block it, and are closed here: else its end would not be seen.
    const OwnedFd in = co_await try_(std::move(there.reader).into_blocking_fd());
    const OwnedFd out = co_await try_(std::move(back.writer).into_blocking_fd());
    co_await try_(start_tr(in, out));
  }
  JoinHandle<Result<void>> sender = spawn(send(std::move(there.writer), std::move(text)));
  std::string answer = co_await try_(receive(back.reader));
  co_await try_((co_await sender).value());
  co_return answer;
}
// docs:end

int main() {
  const std::string text(300'000,
                         'x');  // more than both pipes hold: without a task of its own, send() would wait for ever
  Runtime runtime;
  const Result<std::string> answer = runtime.block_on(upper_case(text));
  ::wait(nullptr);
  if (!answer) return std::fprintf(stderr, "%s\n", answer.error().message().c_str()), 1;
  std::printf("%zu letters came back\n", answer->size());
  return *answer == std::string(text.size(), 'X') ? 0 : 1;
}
