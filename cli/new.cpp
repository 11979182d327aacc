// `skua new NAME`: a project that builds, runs and tests, from the files in cli/template/.
#include "command.hpp"
#include "embedded_file.hpp"

#include <skua/config/print.hpp>
#include <skua/core/result.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace skua::cli {

namespace {

namespace fs = std::filesystem;

// CMake has these targets already.
constexpr std::string_view taken[] = {"all", "clean", "help", "install", "package", "skua", "test"};

bool is_good_name(std::string_view name) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, is_good) &&
         std::ranges::find(taken, name) == std::end(taken);
}

std::string with_name(std::string_view text, std::string_view name) {
  constexpr std::string_view placeholder = "{{name}}";
  std::string result(text);
  for (auto at = result.find(placeholder); at != std::string::npos; at = result.find(placeholder, at + name.size())) {
    result.replace(at, placeholder.size(), name);
  }
  return result;
}

Result<void> write(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file) return last_system_error("write", path.string());
  return {};
}

Result<void> make_project(const fs::path& folder, const std::string& name) {
  std::error_code failed;
  if (!fs::create_directory(folder, failed)) {
    return failed ? Error(failed, "make", folder.string()) : Error(std::errc::file_exists, "make", folder.string());
  }
  for (const EmbeddedFile& file : project_template) {
    if (auto done = write(folder / file.name, with_name(file.content, name)); !done) return done;
  }
  return write(folder / "skua.toml", "# What the runtime does. `skua config explain KEY` says more of each key.\n" +
                                         config::to_toml(Options()));
}

int make(const std::string& where) {
  const fs::path folder = fs::path(where).lexically_normal();
  const std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename();
  if (!is_good_name(name)) {
    std::fprintf(stderr,
                 "skua new: \"%s\" is no name for a project: small letters, digits, - and _; not one of CMake's\n",
                 name.c_str());
    return 2;
  }
  if (auto done = make_project(folder, name); !done) {
    std::fprintf(stderr, "skua new: %s\n", done.error().message().c_str());
    return 1;
  }
  std::printf("made %s\n\n  cd %s\n  cmake -B build && cmake --build build && ctest --test-dir build\n  build/%s\n",
              folder.c_str(), folder.c_str(), name.c_str());
  return 0;
}

}  // namespace

void add_new(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("new", "Make a project that builds, runs and tests");
  const auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "Its name, or a path to where it shall be")->required();
  command->callback([name] { end_with(make(*name)); });
}

}  // namespace skua::cli
