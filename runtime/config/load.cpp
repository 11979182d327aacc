#include <skua/config/load.hpp>
#include <skua/config/toml.hpp>
#include <skua/option_table.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace skua::config {

namespace {

namespace toml = ::skua_toml;

bool is_table_of_ours(std::string_view key) {
  return std::ranges::any_of(
      option_keys(), [prefix = std::string(key) + "."](std::string_view known) { return known.starts_with(prefix); });
}

// As Options::set() takes it: 2, auto, epoll. What can be no value of ours keeps its TOML spelling.
std::string text_of(const toml::node& node) {
  if (node.is_table()) return "{...}";
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);  // also of 0x10
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return out.str();
}

struct Fault {
  toml::source_position where;
  Error error;
};

// The tables are sorted by name; whoever corrects a file reads it from above.
std::vector<Error> in_order(std::vector<Fault> faults) {
  std::ranges::sort(faults, {}, [](const Fault& f) { return std::pair(f.where.line, f.where.column); });
  std::vector<Error> errors;
  for (Fault& fault : faults) errors.push_back(std::move(fault.error));
  return errors;
}

void set_from_table(Options& options, const toml::table& table, const std::string& prefix, const std::string& file,
                    std::vector<Fault>& faults) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (node.is_table() && is_table_of_ours(key)) {
      set_from_table(options, *node.as_table(), key + ".", file, faults);
      continue;
    }
    const Origin origin{Source::file, file + ":" + std::to_string(name.source().begin.line)};
    auto done = options.set(key, text_of(node), origin);
    if (!done) faults.push_back({name.source().begin, std::move(done).error()});
  }
}

Error bad_syntax(const std::string& where, const std::string& what) {
  return Error(make_error_code(OptionFault::bad_syntax), "option", "file " + where + " (" + what + ")");
}

// Sets what is right, and returns what is not.
std::vector<Error> set_from_text(Options& options, std::string_view text, const std::string& file) {
  try {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
      const auto& where = parsed.error().source().begin;
      return {bad_syntax(file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column),
                         std::string(parsed.error().description()))};
    }
    std::vector<Fault> faults;
    set_from_table(options, parsed.table(), "", file, faults);
    return in_order(std::move(faults));
  } catch (const TomlAssertion& assertion) {
    return {bad_syntax(file, assertion.what())};
  }
}

Result<std::string> content_of(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path);
  std::ostringstream content;
  if (!file.is_open()) return last_system_error("open", path.string());
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (errno == EISDIR) return last_system_error("read", path.string());
  return std::move(content).str();
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
    if (argument == "--print-config") {
      loaded.is_to_print = true;
      continue;
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

Result<void> load_text(Options& options, std::string_view text, const std::string& name) {
  Options changed = options;
  if (auto errors = set_from_text(changed, text, name); !errors.empty()) return std::move(errors.front());
  options = std::move(changed);
  return {};
}

Result<void> load_file(Options& options, const std::filesystem::path& path) {
  auto content = content_of(path);
  if (!content) return std::move(content).error();
  return load_text(options, *content, path.string());
}

std::vector<Error> check_file(const std::filesystem::path& path) {
  auto content = content_of(path);
  if (!content) return {std::move(content).error()};
  Options ignored;
  return set_from_text(ignored, *content, path.string());
}

Error unknown_argument(std::string_view argument) {
  if (!argument.starts_with("-")) return Error(std::errc::invalid_argument, "argument", std::string(argument));
  return unknown_option(argument.substr(0, argument.find('=')), {Source::command_line, {}});
}

Result<Loaded> load(int argc, const char* const* argv, Options from_code) {
  Loaded loaded{std::move(from_code), {}, false};
  if (auto done = set_from_default_file(loaded.options); !done) return done.error();
  if (auto done = loaded.options.set_from_environment(); !done) return done.error();
  if (auto done = set_from_arguments(loaded, argc, argv); !done) return done.error();
  return loaded;
}

}  // namespace skua::config
