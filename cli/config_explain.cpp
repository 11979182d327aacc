// `skua config explain [KEY]`: what a key does, takes and is called.
#include "command.hpp"
#include "terminal.hpp"

#include <skua/option_table.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

namespace skua::cli {

namespace {

std::string default_of(const OptionEntry& entry) { return entry.value(Options{}); }

int list() {
  for (const OptionEntry& entry : option_table()) {
    std::printf("%-30s%s\n", std::string(entry.key).c_str(), entry.takes().c_str());
  }
  return 0;
}

void print_line(const char* what, const std::string& text) {
  constexpr std::size_t column = 17;
  std::printf("  %-15s%s\n", what, folded(text, column, terminal_width()).c_str());
}

int explain(const OptionEntry& entry) {
  const std::string key(entry.key);
  std::printf("%s\n", key.c_str());
  std::printf("  %s\n\n", folded(entry.about.effect, 2, terminal_width()).c_str());
  print_line("takes", entry.takes());
  print_line("default", default_of(entry));
  print_line("environment", entry.variable);
  print_line("command line", std::string(entry.flag));
  print_line("while running", entry.is_hot() ? "can change: Runtime::reconfigure()" : "cannot change: needs a restart");
  print_line("change it", std::string(entry.about.when));
  return 0;
}

// Whichever way it is spelled.
int explain(const std::string& spelled) {
  const auto table = option_table();
  const auto found = std::ranges::find_if(table, [&](const OptionEntry& entry) {
    return entry.key == spelled || entry.variable == spelled || entry.flag == spelled;
  });
  if (found != table.end()) return explain(*found);
  std::fprintf(stderr, "%s\n", unknown_option(spelled, {Source::command_line, {}}).message().c_str());
  return 1;
}

// The reference of docs/configuration.md.
int print_markdown() {
  std::printf("| key, variable, flag | takes | default | while running | what it does, and when to change it |\n");
  std::printf("|---|---|---|---|---|\n");
  for (const OptionEntry& entry : option_table()) {
    std::printf("| `%s`<br>`%s`<br>`%s` | %s | %s | %s | %s %s |\n", std::string(entry.key).c_str(), entry.variable,
                std::string(entry.flag).c_str(), entry.takes().c_str(), default_of(entry).c_str(),
                entry.is_hot() ? "can change" : "needs a restart", std::string(entry.about.effect).c_str(),
                std::string(entry.about.when).c_str());
  }
  return 0;
}

}  // namespace

void add_config_explain(CLI::App& config) {
  CLI::App* const command = config.add_subcommand("explain", "Tell what a key is for and takes; or list them");
  const auto key = std::make_shared<std::string>();
  command->add_option("KEY", *key, "As in a file, or a variable, or a flag");
  const CLI::Option* const markdown =
      command->add_flag("--markdown")->description("All of it, as a table for a document");
  command->callback([key, markdown] {
    if (!markdown->empty()) end_with(print_markdown());
    end_with(key->empty() ? list() : explain(*key));
  });
}

}  // namespace skua::cli
