// The `skua` command line.
#include "doctor.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  CLI::App app("skua: tools for the Skua runtime", "skua");
  app.set_version_flag("--version", "skua " SKUA_VERSION);
  const CLI::App* const doctor = app.add_subcommand("doctor", "Tell whether and how well the runtime can work here");
  const CLI::App* const help = app.add_subcommand("help", "Show this text");
  const std::string usage = app.help();  // before parsing: afterwards it would be that of the subcommand
  CLI11_PARSE(app, argc, argv);

  if (doctor->parsed()) return skua::cli::doctor();
  (help->parsed() ? std::cout : std::cerr) << usage;
  return help->parsed() ? 0 : 1;
}
