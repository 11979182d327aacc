// Configuration text: whatever it is, it is taken as a whole or not at all, and what was taken can be written and read
// again.
#include <skua/config/load.hpp>
#include <skua/config/print.hpp>
#include <skua/option_table.hpp>

#include "input.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace skua::tests {
namespace {

constexpr std::string_view words[] = {"\n",
                                      " = ",
                                      "[",
                                      "]",
                                      "\"",
                                      ".",
                                      "{",
                                      "}",
                                      ",",
                                      "#",
                                      "'''",
                                      "1",
                                      "64",
                                      "4096",
                                      "0x",
                                      "-",
                                      "_",
                                      "1e3",
                                      "auto",
                                      "\"auto\"",
                                      "epoll",
                                      "true",
                                      "nan",
                                      "1979-05-27",
                                      "\\u0000",
                                      "workers",
                                      "backend",
                                      "reactor",
                                      "mode",
                                      "\"thread\"",
                                      "io_uring",
                                      "submission_entries",
                                      "completion_entries",
                                      "blocking",
                                      "threads",
                                      "queue",
                                      "keep_alive_ms",
                                      "wrokers"};

// Words of the language, and now and then any byte.
std::string text_of(Input& input) {
  std::string text;
  while (!input.is_over()) {
    const unsigned choice = input.below(std::size(words) + 8);
    if (choice < std::size(words)) {
      text += words[choice];
    } else if (const unsigned key = choice - static_cast<unsigned>(std::size(words)); key < option_table().size()) {
      const OptionEntry& entry = option_table()[key];  // a line that is right
      text += "\n" + std::string(entry.key) + " = \"" + entry.value(Options{}) + "\"\n";
    } else {
      text += static_cast<char>(input.byte());
    }
  }
  return text;
}

void try_text(const std::string& text) {
  Options options;
  const std::string before = config::describe(options);
  const auto loaded = config::load_text(options, text, "text");
  if (!loaded) {
    require(config::describe(options) == before, "an error changes nothing");
    require(loaded.error() == std::errc::invalid_argument, "it is the text's fault");
    require(loaded.error().message().find("text") != std::string::npos, "and it is said where");
    return;
  }
  for (const auto style : {config::TomlStyle::full, config::TomlStyle::brief}) {
    Options again;
    require(config::load_text(again, config::to_toml(options, style), "again").has_value(),
            "what is written can be read");
    for (const OptionEntry& entry : option_table()) {
      require(entry.value(again) == entry.value(options), "and says the same");
    }
  }
}

}  // namespace
}  // namespace skua::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace skua::tests;
  const std::string raw(reinterpret_cast<const char*>(bytes), count);
  try_text(raw);
  static_cast<void>(skua::nearest_spelling(raw));
  Input input(bytes, count);
  try_text(text_of(input));
  return 0;
}
