// Runs programs: collects what one writes, feeds another, connects two, and kills one that takes too long.
#include <skua/skua.hpp>

#include <cstdio>
#include <string>
#include <utility>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin output
Task<Result<std::string>> kernel_release() {
  const ProcessOutput uname = co_await try_(Command("uname").arg("-r").output());
  if (!uname.status.success()) {
    std::fprintf(stderr, "uname: %s\n%s", uname.status.to_string().c_str(), uname.standard_error.c_str());
  }
  co_return uname.standard_output;
}
// docs:end

// docs:begin input
Task<Result<std::string>> sorted(std::string lines) {
  const ProcessOutput sort = co_await try_(Command("sort").env("LC_ALL", "C").output(std::move(lines)));
  co_return sort.standard_output;
}
// docs:end

// docs:begin talk
Task<Result<std::string>> first_answer(std::string question) {
  Child cat = co_await try_(Command("cat").stdin_from(Stdio::piped()).stdout_to(Stdio::piped()).spawn());
  PipeWriter to = *cat.take_stdin();
  PipeReader from = *cat.take_stdout();
  co_await try_(to.write_all(question));
  std::string answer(question.size(), '\0');
  answer.resize(co_await try_(from.read(answer)));
  co_await try_(cat.kill());
  co_return answer;
}
// docs:end

// docs:begin pipeline
Task<Result<std::string>> number_of_lines(std::string text) {
  Child producer = co_await try_(Command("printf").args("%s", text).stdout_to(Stdio::piped()).spawn());
  OwnedFd between = co_await try_(std::move(*producer.take_stdout()).into_blocking_fd());
  const ProcessOutput counted =
      co_await try_(Command("wc").arg("-l").stdin_from(Stdio::from(std::move(between))).output());
  co_await try_(producer.wait());
  co_return counted.standard_output;
}
// docs:end

// docs:begin timeout
Task<bool> is_done_in_time() {
  // Dropping the future of output() or status() kills the process.
  const Result<ExitStatus> status = co_await timeout(50ms, Command("sleep").arg("100").status());
  co_return status.error() != std::errc::timed_out;
}
// docs:end

Task<bool> run_all() {
  const std::string release = (co_await kernel_release()).value();
  const std::string lines = (co_await sorted("b\nc\na\n")).value();
  const std::string answer = (co_await first_answer("hello")).value();
  const std::string count = (co_await number_of_lines("1\n2\n3\n")).value();
  const bool in_time = co_await is_done_in_time();
  std::printf("Linux %s%s%s\n%s", release.c_str(), lines.c_str(), answer.c_str(), count.c_str());
  co_return !release.empty() && lines == "a\nb\nc\n" && answer == "hello" && count == "3\n" && !in_time;
}

int main() {
  Runtime runtime;
  return runtime.block_on(runtime.spawn(run_all())).value() ? 0 : 1;
}
