// What somebody meant who wrote WROKERS.
#include <skua/option_table.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace skua {

namespace {

// Changes (one character added, removed or replaced) that turn one word into the other.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

enum class Kind { key, variable, flag };

Kind kind_of(std::string_view spelled) {
  if (spelled.starts_with("SKUA_")) return Kind::variable;
  return spelled.starts_with("--") ? Kind::flag : Kind::key;
}

// Spelled as a key is, with '_' for '.': SKUA_REACTOR_MODE, --reactor-mode and reactor.mode are the same.
std::string plain(std::string_view spelled) {
  switch (kind_of(spelled)) {
    case Kind::variable: spelled.remove_prefix(5); break;
    case Kind::flag: spelled.remove_prefix(2); break;
    case Kind::key: break;
  }
  std::string text(spelled.substr(0, 64));  // no key is as long, and far is far
  for (char& c : text) {
    if (c == '.' || c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// `reactor.mode` is meant by its own name, by `mode` and by `reactor`.
std::size_t distance_to(std::string_view key, std::string_view word) {
  const auto dot = key.find('.');
  const std::size_t whole = distance(word, plain(key));
  if (dot == std::string_view::npos) return whole;
  return std::min({whole, distance(word, plain(key.substr(0, dot))), distance(word, plain(key.substr(dot + 1)))});
}

struct Candidate {
  std::string_view key;
  std::string_view spelling;
};

// Ours, besides the table.
constexpr std::string_view file_variable = "SKUA_CONFIG";
constexpr std::string_view print_flag = "--print-config";

std::vector<Candidate> candidates(Kind kind) {
  std::vector<Candidate> all;
  for (const OptionEntry& entry : option_table()) {
    switch (kind) {
      case Kind::key: all.push_back({entry.key, entry.key}); break;
      case Kind::variable: all.push_back({entry.key, entry.variable}); break;
      case Kind::flag: all.push_back({entry.key, entry.flag}); break;
    }
  }
  if (kind == Kind::variable) all.push_back({"config", file_variable});
  if (kind == Kind::flag) all.push_back({"print_config", print_flag});
  return all;
}

bool is_ours(std::string_view variable) {
  return variable == file_variable || variable.starts_with("SKUA_TEST_") ||
         std::ranges::any_of(option_table(), [variable](const OptionEntry& e) { return e.variable == variable; });
}

}  // namespace

std::string nearest_spelling(std::string_view spelled) {
  const std::string word = plain(spelled);
  const std::size_t near = std::max<std::size_t>(2, word.size() / 3);
  std::size_t least = near + 1;
  std::string_view nearest;
  for (const auto& [key, spelling] : candidates(kind_of(spelled))) {
    const std::size_t apart = distance_to(key, word);
    if (apart >= least) continue;
    least = apart;
    nearest = spelling;
  }
  return std::string(nearest);
}

std::vector<std::string> unknown_variables() {
  std::vector<std::string> unknown;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (name.starts_with("SKUA_") && !is_ours(name)) unknown.emplace_back(name);
  }
  return unknown;
}

}  // namespace skua
