#include "io_uring_refusal.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace skua::cli {

namespace {

constexpr int cap_sys_admin = 21;

const char* const container_cure =
    "Containers refuse io_uring by default: allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp "
    "profile (docker run --security-opt seccomp=profile.json). Until then: epoll.";

Refusal explain_permission(const Surroundings& here) {
  if (here.io_uring_disabled == 2) {
    return {"switched off for everyone by sysctl kernel.io_uring_disabled = 2 (EPERM)",
            "As root: sysctl kernel.io_uring_disabled=0. Until then: epoll."};
  }
  if (here.io_uring_disabled == 1 && !here.administrator) {
    return {"only for administrators: sysctl kernel.io_uring_disabled = 1 (EPERM)",
            "As root: sysctl kernel.io_uring_disabled=0, or add this user to the group in kernel.io_uring_group. "
            "Until then: epoll."};
  }
  if (here.seccomp_filter) return {"refused by a seccomp filter (EPERM)", container_cure};
  return {"refused without a seccomp filter or sysctl (EPERM)",
          "A security module (SELinux, AppArmor) may forbid it: see the audit log. Until then: epoll."};
}

}  // namespace

Surroundings read_surroundings() {
  Surroundings here;
  utsname names{};
  if (::uname(&names) == 0) here.kernel_release = names.release;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> here.io_uring_disabled;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    unsigned long long value = 0;
    if (std::sscanf(line.c_str(), "Seccomp: %llu", &value) == 1) here.seccomp_filter = value == 2;
    if (std::sscanf(line.c_str(), "CapEff: %llx", &value) == 1) here.administrator = (value >> cap_sys_admin & 1) != 0;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) here.memlock_bytes = limit.rlim_cur;
  return here;
}

bool kernel_at_least(const std::string& release, int major, int minor) {
  int actual_major = 0;
  int actual_minor = 0;
  std::sscanf(release.c_str(), "%d.%d", &actual_major, &actual_minor);
  return actual_major != major ? actual_major > major : actual_minor >= minor;
}

Refusal explain_refusal(int error, const Surroundings& here) {
  switch (error) {
    case EPERM:
    case EACCES: return explain_permission(here);
    case ENOSYS:
      if (!kernel_at_least(here.kernel_release, 5, 1)) {
        return {"Linux " + here.kernel_release + " has none, 5.1 is the first (ENOSYS)", "Until then: epoll."};
      }
      if (here.seccomp_filter) return {"refused by a seccomp filter (ENOSYS)", container_cure};
      return {"this kernel was built without it (ENOSYS)", "CONFIG_IO_URING=y brings it. Until then: epoll."};
    case ENOMEM:
      return {"memory lock limit of " + std::to_string(here.memlock_bytes / 1024) + " KiB is too small (ENOMEM)",
              "Linux before 5.12 counts rings as locked memory: ulimit -l 65536, LimitMEMLOCK= in systemd, or "
              "docker run --ulimit memlock=67108864."};
    case EMFILE: return {"no descriptor is left (EMFILE)", "Raise the limit: ulimit -n 65536"};
    default: return {std::string(std::strerror(error)), "Until then: epoll."};
  }
}

}  // namespace skua::cli
