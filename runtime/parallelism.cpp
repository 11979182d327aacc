#include <skua/cgroup.hpp>
#include <skua/options.hpp>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skua {

namespace {

namespace fs = std::filesystem;

// "50000 100000", or "max 100000" for no limit.
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// Two files; a quota of -1 is no limit.
std::optional<double> quota_v1(const fs::path& group) {
  double quota = 0;
  double period = 0;
  if (!(std::ifstream(group / "cpu.cfs_quota_us") >> quota) || quota <= 0) return std::nullopt;
  if (!(std::ifstream(group / "cpu.cfs_period_us") >> period) || period <= 0) return std::nullopt;
  return quota / period;
}

// The smallest quota of `mount`/`group` and of all groups above it.
template <class Read>
std::optional<double> smallest_quota(const fs::path& mount, std::string_view group, Read read) {
  std::optional<double> smallest = read(mount);
  fs::path path = mount;
  for (const fs::path& name : fs::path(group).relative_path()) {
    if (name == "..") break;  // the group lies outside of our cgroup namespace
    path /= name;
    const auto quota = read(path);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
}

// In "cpuset,cpu,cpuacct" or the like.
bool contains_cpu(std::string controllers) {
  std::istringstream names(std::move(controllers));
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

// A line of the membership file is "hierarchy:controllers:group"; version 2 has hierarchy 0 and no controllers.
std::optional<double> cgroup_cpu_quota(const CgroupPaths& paths) {
  std::optional<double> smallest;
  const auto consider = [&smallest](std::optional<double> quota) {
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  };
  std::ifstream membership(paths.membership);
  for (std::string line; std::getline(membership, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      consider(smallest_quota(paths.mounts, group, quota_v2));
      consider(smallest_quota(paths.mounts / "unified", group, quota_v2));
    } else if (contains_cpu(controllers)) {
      consider(smallest_quota(paths.mounts / "cpu", group, quota_v1));
      consider(smallest_quota(paths.mounts / controllers, group, quota_v1));  // "cpu,cpuacct"
    }
  }
  return smallest;
}

std::uint32_t affinity_processors() {
  // The kernel refuses a mask that is smaller than its own, and does not say how large that is.
  for (std::size_t masks = 1; masks <= 64; masks *= 2) {
    std::vector<cpu_set_t> set(masks);
    const std::size_t bytes = masks * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) == 0) {
      return std::max(1U, static_cast<std::uint32_t>(CPU_COUNT_S(bytes, set.data())));
    }
    if (errno != EINVAL) break;
  }
  return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

std::uint32_t processors_within(std::optional<double> quota, std::uint32_t processors) noexcept {
  if (!quota || *quota >= processors) return std::max(1U, processors);
  return std::max(1U, static_cast<std::uint32_t>(std::ceil(*quota)));
}

std::uint32_t available_parallelism() { return processors_within(cgroup_cpu_quota(), affinity_processors()); }

}  // namespace skua
