#include <skua/config/load.hpp>
#include <skua/option_table.hpp>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace skua::config {

namespace {

bool is_table_of_ours(std::string_view key) {
  return std::ranges::any_of(
      option_keys(), [prefix = std::string(key) + "."](std::string_view known) { return known.starts_with(prefix); });
}

// As Options::set() takes it: 2, auto, epoll. What can be no value of ours keeps its TOML spelling.
std::string text_of(const toml::node& node) {
  if (node.is_table()) return "{...}";
  if (const auto text = node.value_exact<std::string>()) return *text;
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return out.str();
}

Result<void> set_from_table(Options& options, const toml::table& table, const std::string& prefix,
                            const std::string& path) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (node.is_table() && is_table_of_ours(key)) {
      if (auto done = set_from_table(options, *node.as_table(), key + ".", path); !done) return done;
      continue;
    }
    const Origin origin{Source::file, path + ":" + std::to_string(node.source().begin.line)};
    if (auto done = options.set(key, text_of(node), origin); !done) return done;
  }
  return {};
}

// One argument that may be ours: `--key value` or `--key=value`.
struct Flag {
  const OptionEntry* entry;
  std::optional<std::string_view> value;  // none: it is the next argument
};

std::optional<Flag> our_flag(std::string_view argument) {
  const auto equals = argument.find('=');
  for (const OptionEntry& entry : option_table()) {
    if (argument.substr(0, equals) != entry.flag) continue;
    if (equals == std::string_view::npos) return Flag{&entry, std::nullopt};
    return Flag{&entry, argument.substr(equals + 1)};
  }
  return std::nullopt;
}

Result<void> set_from_arguments(Loaded& loaded, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") {
      loaded.rest.insert(loaded.rest.end(), argv + i, argv + argc);
      break;
    }
    auto flag = our_flag(argument);
    if (!flag) {
      loaded.rest.push_back(argument);
      continue;
    }
    const std::string name(flag->entry->flag);
    if (!flag->value) {
      if (i + 1 == argc) return Error(make_error_code(OptionFault::value_missing), "option", name);
      flag->value = argv[++i];
    }
    auto done = loaded.options.set(flag->entry->key, *flag->value, {Source::command_line, name});
    if (!done) return done;
  }
  return {};
}

Result<void> set_from_default_file(Options& options) {
  if (const char* const chosen = std::getenv("SKUA_CONFIG"); chosen != nullptr && *chosen != '\0') {
    return load_file(options, chosen);
  }
  std::error_code ignored;
  return std::filesystem::exists("skua.toml", ignored) ? load_file(options, "skua.toml") : Result<void>{};
}

}  // namespace

Result<void> load_file(Options& options, const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path);
  std::ostringstream content;
  if (!file.is_open()) return last_system_error("open", path.string());
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (errno == EISDIR) return last_system_error("read", path.string());

  const toml::parse_result parsed = toml::parse(content.str());
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    return Error(make_error_code(OptionFault::bad_syntax), "option",
                 "file " + path.string() + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) +
                     " (" + std::string(parsed.error().description()) + ")");
  }
  Options changed = options;
  if (auto done = set_from_table(changed, parsed.table(), "", path.string()); !done) return done;
  options = std::move(changed);
  return {};
}

Result<Loaded> load(int argc, const char* const* argv, Options from_code) {
  Loaded loaded{std::move(from_code), {}};
  if (auto done = set_from_default_file(loaded.options); !done) return done.error();
  if (auto done = loaded.options.set_from_environment(); !done) return done.error();
  if (auto done = set_from_arguments(loaded, argc, argv); !done) return done.error();
  return loaded;
}

std::string describe(const Options& options) {
  std::size_t widest_key = 0;
  std::size_t widest_value = 0;
  for (const OptionEntry& entry : option_table()) {
    widest_key = std::max(widest_key, entry.key.size());
    widest_value = std::max(widest_value, entry.value(options).size());
  }
  std::string text;
  for (const OptionEntry& entry : option_table()) {
    std::string line(entry.key);
    line.resize(widest_key + 3, ' ');
    line += entry.value(options);
    line.resize(widest_key + 3 + widest_value + 3, ' ');
    text += line + entry.origin(options).describe() + "\n";
  }
  return text;
}

}  // namespace skua::config
