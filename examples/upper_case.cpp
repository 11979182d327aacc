// A filter: standard input to standard output, in upper case.
//   echo hello | upper_case | head -1
#include <skua/skua.hpp>

#include <array>
#include <cctype>
#include <cstdio>
#include <span>

using namespace skua;

// docs:begin filter
Task<Result<void>> upper_case() {
  StandardInput in = co_await try_(StandardInput::open());
  StandardOutput out = co_await try_(StandardOutput::open());
  std::array<char, 65536> buffer;
  for (;;) {
    const std::size_t n = co_await try_(in.read(buffer));
    if (n == 0) co_return {};
    for (char& letter : std::span(buffer).first(n))
      letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    co_await try_(out.write_all({buffer.data(), n}));
  }
}

int main() {
  Runtime runtime;
  const Result<void> result = runtime.block_on(upper_case());
  if (result || result.error() == std::errc::broken_pipe) return 0;  // whoever reads us has enough
  return std::fprintf(stderr, "upper_case: %s\n", result.error().message().c_str()), 1;
}
// docs:end
