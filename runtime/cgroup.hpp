// The CPU quota of this process's cgroup, which `docker run --cpus 1.5` and Kubernetes limits set.
//
// A quota holds for a group and everything below it, so the smallest one from the process's own group up to the
// root counts. In a container the path that the kernel names may lie outside of what is mounted; the walk then
// finds nothing below the mount point, and ends at the mount point, which is the container's own group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace skua {

/// Where to read; tests build a tree of their own.
struct CgroupPaths {
  std::filesystem::path membership = "/proc/self/cgroup";
  std::filesystem::path mounts = "/sys/fs/cgroup";
};

/// Processors' worth of time the process may use: the smallest quota / period, version 1 or 2. None: no limit.
std::optional<double> cgroup_cpu_quota(const CgroupPaths& paths = {});

/// Processors in the affinity mask of the calling thread; at least 1.
std::uint32_t affinity_processors();

/// Fewest whole processors that can use up the quota, but not more than `processors`; at least 1.
std::uint32_t processors_within(std::optional<double> quota, std::uint32_t processors) noexcept;

}  // namespace skua
