#include "doctor.hpp"
#include "command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace skua::cli {

namespace {

// 0 if the runtime can work here, warnings allowed; else 1.
int doctor() {
  Report report;
  std::printf("skua %s: can the runtime work here?\n\n", SKUA_VERSION);
  const Options options = check_options(report);
  check_kernel(report, options);
  check_machine(report, options);
  check_compilers(report);

  const int warnings = report.warnings();
  if (report.failures() > 0) {
    std::printf("\nNo: see FAIL above.\n");
    return 1;
  }
  if (warnings == 0) std::printf("\nYes.\n");
  if (warnings > 0) std::printf("\nYes, with %d warning%s.\n", warnings, warnings == 1 ? "" : "s");
  return 0;
}

}  // namespace

void add_doctor(CLI::App& app) {
  app.add_subcommand("doctor", "Tell how well the runtime can work here")->callback([] { end_with(doctor()); });
}

}  // namespace skua::cli
