#include <skua/cgroup.hpp>
#include <skua/options.hpp>

#include "environment.hpp"

#include <gtest/gtest.h>

#include <sched.h>

namespace skua {
namespace {

// A cgroup tree in a temporary directory: membership file and mount point.
class CgroupTree : public testing::Test {
 protected:
  void member_of(const std::string& lines) { directory_.write("self", lines); }
  void group(const std::string& file, const std::string& content) { directory_.write("cgroup/" + file, content); }
  std::optional<double> quota() const {
    return cgroup_cpu_quota({directory_.path() / "self", directory_.path() / "cgroup"});
  }

 private:
  tests::ScopedDirectory directory_;
};

TEST_F(CgroupTree, no_files_is_no_limit) { EXPECT_EQ(quota(), std::nullopt); }

TEST_F(CgroupTree, v2_max_is_no_limit) {
  member_of("0::/app\n");
  group("app/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CgroupTree, v2_quota_of_the_own_group) {
  member_of("0::/app\n");
  group("app/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CgroupTree, v2_smallest_quota_of_the_parents_counts) {
  member_of("0::/pods/app/worker\n");
  group("pods/cpu.max", "200000 100000\n");
  group("pods/app/cpu.max", "50000 100000\n");
  group("pods/app/worker/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CgroupTree, v2_container_sees_its_group_at_the_mount_point) {
  member_of("0::/docker/4711\n");
  group("cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(CgroupTree, v2_group_outside_of_the_namespace) {
  member_of("0::/../../other\n");
  group("cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(CgroupTree, v1_quota_and_period) {
  member_of("3:cpuset:/\n2:cpu,cpuacct:/app\n1:name=systemd:/\n");
  group("cpu,cpuacct/app/cpu.cfs_quota_us", "250000\n");
  group("cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(CgroupTree, v1_minus_one_is_no_limit_but_the_parent_counts) {
  member_of("1:cpu:/pods/app\n0::/\n");
  group("cpu/pods/app/cpu.cfs_quota_us", "-1\n");
  group("cpu/pods/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  group("cpu/pods/cpu.cfs_quota_us", "100000\n");
  group("cpu/pods/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 1.0);
}

TEST_F(CgroupTree, cpuacct_and_cpuset_are_not_cpu) {
  member_of("3:cpuset:/app\n2:cpuacct:/app\n");
  group("cpu/app/cpu.cfs_quota_us", "100000\n");
  group("cpu/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CgroupTree, damaged_files_are_no_limit) {
  member_of("nonsense\n0::/app\n:\n");
  group("app/cpu.max", "many\n");
  EXPECT_EQ(quota(), std::nullopt);
  group("app/cpu.max", "100000 0\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST(Parallelism, quota_is_rounded_up_and_capped) {
  EXPECT_EQ(processors_within(std::nullopt, 8), 8U);
  EXPECT_EQ(processors_within(0.1, 8), 1U);
  EXPECT_EQ(processors_within(1.0, 8), 1U);
  EXPECT_EQ(processors_within(1.5, 8), 2U);
  EXPECT_EQ(processors_within(16.0, 8), 8U);
  EXPECT_EQ(processors_within(std::nullopt, 0), 1U);
}

TEST(Parallelism, affinity_mask_is_honoured) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(affinity_processors(), static_cast<std::uint32_t>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_parallelism(), 1U);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(available_parallelism(), 1U);
}

}  // namespace
}  // namespace skua
