#include "doctor.hpp"

#include <skua/cgroup.hpp>
#include <skua/core/kernel.hpp>

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace skua::cli {

namespace {

std::string in_words(rlim_t limit, rlim_t unit, const char* name) {
  return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit / unit) + name;
}

std::string in_words(const rlimit& limit, rlim_t unit, const char* name) {
  const std::string soft = in_words(limit.rlim_cur, unit, name);
  return limit.rlim_cur == limit.rlim_max ? soft : soft + ", can be raised to " + in_words(limit.rlim_max, unit, name);
}

void check_processors(Report& report, const Options& options) {
  const std::uint32_t workers = options.workers.value;
  const std::uint32_t automatic = available_parallelism();
  const auto quota = cgroup_cpu_quota();
  std::array<char, 32> quota_text{};
  if (quota) std::snprintf(quota_text.data(), quota_text.size(), "a quota of %.3g", *quota);
  report.ok("processors", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " online, " +
                              std::to_string(affinity_processors()) + " in the affinity mask, " +
                              (quota ? quota_text.data() : "no cgroup quota"));
  const std::string suggestion = "auto would be " + std::to_string(automatic);
  if (workers == workers_auto) {
    report.ok("workers", "auto: " + std::to_string(automatic));
  } else if (workers > automatic) {
    report.warn("workers",
                std::to_string(workers) + " on fewer processors: they take each other's time; " + suggestion);
  } else {
    report.ok("workers", std::to_string(workers) + "; " + suggestion);
  }
}

void check_limits(Report& report) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 4096) {
    report.warn("open files", in_words(files, 1, ""),
                "Each connection takes one. Raise it: ulimit -n 65536, or LimitNOFILE= in systemd.");
  } else {
    report.ok("open files", in_words(files, 1, ""));
  }
  rlimit locked{};
  ::getrlimit(RLIMIT_MEMLOCK, &locked);
  report.ok("locked memory", in_words(locked, 1024, " KiB"));
}

void check_allocator(Report& report) {
  Dl_info info{};
  void* const malloc_address = ::dlsym(RTLD_DEFAULT, "malloc");
  if (malloc_address == nullptr || ::dladdr(malloc_address, &info) == 0 || info.dli_fname == nullptr) return;
  const std::string library = std::filesystem::path(info.dli_fname).filename();
  if (library.starts_with("libc.so")) {
    report.ok("allocator", std::string("glibc ") + ::gnu_get_libc_version());
  } else if (library.find(".so") == std::string::npos) {
    report.ok("allocator", "built into the program");
  } else {
    report.ok("allocator", library + (std::getenv("LD_PRELOAD") != nullptr ? ", preloaded" : ""));
  }
}

}  // namespace

void check_machine(Report& report, const Options& options) {
  check_processors(report, options);
  check_limits(report);
  check_allocator(report);
}

}  // namespace skua::cli
