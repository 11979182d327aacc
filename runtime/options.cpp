#include <skua/core/assert.hpp>
#include <skua/core/log.hpp>
#include <skua/core/mutex.hpp>
#include <skua/option_table.hpp>
#include <skua/options.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace skua {

namespace {

// True: not yet in this process.
bool is_news(const std::string& variable) {
  static seam::Mutex mutex;
  static std::vector<std::string> told;
  const seam::Lock lock(mutex);
  if (std::ranges::find(told, variable) != told.end()) return false;
  told.push_back(variable);
  return true;
}

void warn_of_unknown_variables() {
  for (const std::string& name : unknown_variables()) {
    if (!is_news(name)) continue;
    const std::string nearest = nearest_spelling(name);
    log(LogLevel::warning, name + " is set, and means nothing to the runtime" +
                               (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
}

}  // namespace

std::string Origin::describe() const {
  if (!detail.empty()) return detail;
  switch (source) {
    case Source::default_value: return "default";
    case Source::code: return "code";
    case Source::file: return "file";
    case Source::environment: return "environment";
    case Source::command_line: return "command line";
    case Source::live: return "live";
  }
  return "?";
}

Result<void> Options::set(std::string_view key, std::string_view value, const Origin& origin) {
  const OptionEntry* const entry = find_option(key);
  if (entry == nullptr) return unknown_option(key, origin);
  if (entry->locked(*this) && origin.source > Source::code) return locked_option(*entry, value, origin);
  if (!entry->set(*this, value, origin)) return value_not_allowed(*entry, value, origin);
  return {};
}

Options& Options::lock(std::string_view key) {
  const OptionEntry* const entry = find_option(key);
  if (entry == nullptr) {
    const std::string nearest = nearest_spelling(key);
    fail_fast("lock(\"" + std::string(key) + "\"): there is no such option",
              nearest.empty() ? "`skua config explain` lists them" : "Did you mean \"" + nearest + "\"?");
  }
  entry->locked(*this) = true;
  return *this;
}

Result<void> Options::set_from_environment() {
  if (has_environment) return {};
  warn_of_unknown_variables();
  for (const OptionEntry& entry : option_table()) {
    const char* const value = std::getenv(entry.variable);
    if (value == nullptr || *value == '\0') continue;  // `SKUA_WORKERS= ./server` means: not set
    if (auto done = set(entry.key, value, {Source::environment, entry.variable}); !done) return done;
  }
  has_environment = true;
  return {};
}

}  // namespace skua
