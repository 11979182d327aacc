// `skua config check FILE`: everything that is wrong with a configuration file.
#include "command.hpp"

#include <skua/config/load.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace skua::cli {

namespace {

int check(const std::string& file) {
  const std::vector<Error> errors = config::check_file(file);
  for (const Error& error : errors) std::printf("%s\n", error.message().c_str());
  if (errors.empty()) std::printf("%s is fine\n", file.c_str());
  return errors.empty() ? 0 : 1;
}

}  // namespace

void add_config_check(CLI::App& config) {
  CLI::App* const command = config.add_subcommand("check", "Print all that is wrong with a file");
  const auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "A skua.toml")->required();
  command->callback([file] { end_with(check(*file)); });
}

}  // namespace skua::cli
