// The main of a fuzzer in builds without libFuzzer: the same test on inputs that are the same each time.
//
//   timer_wheel_fuzz                 2,000 inputs from the seeds 1 to 2,000; SKUA_TEST_SEED takes one of them alone
//   timer_wheel_fuzz crash-0a1b...   these files: what tools/fuzz has found, for the debugger
#include <skua/core/random.hpp>

#include "input.hpp"

#include <unistd.h>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

// Sanitizers end the program by abort() too, so that the input is named.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __tsan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1"; }

namespace {

constexpr std::uint64_t inputs = 2'000;
std::string input_name;  // of the input that is being tried

void name_the_input(int) {
  // All that a signal handler may do.
  static_cast<void>(::write(STDERR_FILENO, input_name.data(), input_name.size()));
}

void try_bytes(const std::vector<std::uint8_t>& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

// Mostly short, as those that libFuzzer begins with; the bytes of half of the inputs are small numbers.
void try_seed(std::uint64_t seed) {
  input_name = "to repeat it: SKUA_TEST_SEED=" + std::to_string(seed) + "\n";
  skua::seam::Random random(seed * 0x9E3779B97F4A7C15u);
  const std::uint32_t largest = random.below(2) == 0 ? 256 : 1 + random.below(16);
  std::vector<std::uint8_t> bytes(random.below(1u << (2 + random.below(11))));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(largest));
  try_bytes(bytes);
}

void try_file(const char* path) {
  input_name = std::string("the input: ") + path + "\n";
  std::ifstream file(path, std::ios::binary);
  skua::tests::require(file.is_open(), "no such file");
  try_bytes({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGABRT, name_the_input);
  for (int i = 1; i < count; ++i) try_file(arguments[i]);
  if (count > 1) return 0;
  if (const char* given = std::getenv("SKUA_TEST_SEED")) {
    try_seed(std::strtoull(given, nullptr, 10));
    return 0;
  }
  for (std::uint64_t seed = 1; seed <= inputs; ++seed) try_seed(seed);
  std::printf("%llu inputs\n", static_cast<unsigned long long>(inputs));
}
