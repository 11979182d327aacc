// The bytes that a fuzzer is given, read as a sequence of choices; and what a fuzzer says when it has found something.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <span>

namespace skua::tests {

/// Once the bytes are used up every choice is 0: a fuzzer stops then.
class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t count) noexcept : bytes_(bytes, count) {}

  bool is_over() const noexcept { return bytes_.empty(); }

  std::uint8_t byte() noexcept {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }

  /// In [0, bound). Takes one byte; requires 0 < bound <= 256.
  unsigned below(unsigned bound) noexcept { return byte() % bound; }

  /// A number of at most `bits` bits, of as few bytes as that takes.
  std::uint64_t number(unsigned bits) noexcept {
    std::uint64_t number = 0;
    for (unsigned taken = 0; taken < bits; taken += 8) number = number << 8 | byte();
    return bits >= 64 ? number : number & ((std::uint64_t{1} << bits) - 1);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Ends the program if `holds` does not: the fuzzer keeps the input.
inline void require(bool holds, const char* what, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: %s\n", at.file_name(), at.line(), what);
  std::abort();
}

}  // namespace skua::tests
