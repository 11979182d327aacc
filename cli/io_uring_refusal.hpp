// Why the kernel refused to create a ring, in words that lead to the cure.
#pragma once

#include <string>

namespace skua::cli {

/// What the reason depends on; read_surroundings() takes it from the running system.
struct Surroundings {
  std::string kernel_release;  // "6.1.0-18-amd64"
  int io_uring_disabled = 0;   // sysctl kernel.io_uring_disabled; 0 where it does not exist
  bool seccomp_filter = false;
  bool administrator = false;  // CAP_SYS_ADMIN
  unsigned long long memlock_bytes = 0;
};
Surroundings read_surroundings();

/// Whether the release is at least major.minor.
bool kernel_at_least(const std::string& release, int major, int minor);

struct Refusal {
  std::string reason;
  std::string cure;
};

/// `error` is the errno of io_uring_setup().
Refusal explain_refusal(int error, const Surroundings& surroundings);

}  // namespace skua::cli
