#include "doctor.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace skua::cli {

namespace {

// "12.2.0"; empty if there is no such command.
std::string version_of(const std::string& compiler) {
  const std::string command = compiler + " -dumpfullversion -dumpversion 2>/dev/null";
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) return {};
  std::array<char, 64> line{};
  const char* const read = std::fgets(line.data(), line.size(), output);
  if (::pclose(output) != 0 || read == nullptr) return {};
  std::string version = line.data();
  while (!version.empty() && version.back() == '\n') version.pop_back();
  return version;
}

struct Compiler {
  const char* name;
  int oldest;
};
constexpr Compiler compilers[] = {{"g++", 12}, {"clang++", 16}, {"clang++-19", 16}};

}  // namespace

void check_compilers(Report& report) {
  bool found = false;
  for (const auto& [name, oldest] : compilers) {
    const std::string version = version_of(name);
    if (version.empty()) continue;
    found = true;
    const int major = std::atoi(version.c_str());
    const bool is_gcc = std::string_view(name).starts_with("g++");
    if (major < oldest) {
      report.warn(name, version + " is not supported: " + std::to_string(oldest) + " or newer");
    } else if (is_gcc && major == 12) {
      report.ok(name, version,
                "Note: it destroys a capturing lambda inside a co_await expression twice. Name the lambda first.");
    } else {
      report.ok(name, version);
    }
  }
  if (!found) report.warn("compilers", "no g++ and no clang++ on PATH");
}

}  // namespace skua::cli
