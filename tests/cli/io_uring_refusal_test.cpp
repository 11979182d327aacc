#include "io_uring_refusal.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace skua::cli {
namespace {

Surroundings kernel(const char* release) {
  Surroundings here;
  here.kernel_release = release;
  return here;
}

std::string reason(int error, const Surroundings& here) { return explain_refusal(error, here).reason; }

TEST(IoUringRefusal, sysctl_2_is_for_everyone) {
  Surroundings here = kernel("6.6.0");
  here.io_uring_disabled = 2;
  here.administrator = true;
  here.seccomp_filter = true;
  EXPECT_EQ(reason(EPERM, here), "switched off for everyone by sysctl kernel.io_uring_disabled = 2 (EPERM)");
}

TEST(IoUringRefusal, sysctl_1_is_not_for_administrators) {
  Surroundings here = kernel("6.6.0");
  here.io_uring_disabled = 1;
  EXPECT_EQ(reason(EPERM, here), "only for administrators: sysctl kernel.io_uring_disabled = 1 (EPERM)");
  here.administrator = true;
  here.seccomp_filter = true;
  EXPECT_EQ(reason(EPERM, here), "refused by a seccomp filter (EPERM)");
}

TEST(IoUringRefusal, seccomp_or_security_module) {
  Surroundings here = kernel("6.6.0");
  here.seccomp_filter = true;
  EXPECT_EQ(reason(EPERM, here), "refused by a seccomp filter (EPERM)");
  EXPECT_EQ(reason(ENOSYS, here), "refused by a seccomp filter (ENOSYS)");
  here.seccomp_filter = false;
  EXPECT_EQ(reason(EACCES, here), "refused without a seccomp filter or sysctl (EPERM)");
}

TEST(IoUringRefusal, old_kernel_or_built_without) {
  EXPECT_EQ(reason(ENOSYS, kernel("4.19.0-26-amd64")), "Linux 4.19.0-26-amd64 has none, 5.1 is the first (ENOSYS)");
  EXPECT_EQ(reason(ENOSYS, kernel("6.6.0")), "this kernel was built without it (ENOSYS)");
}

TEST(IoUringRefusal, memory_lock_limit) {
  Surroundings here = kernel("5.10.0");
  here.memlock_bytes = 65536;
  EXPECT_EQ(reason(ENOMEM, here), "memory lock limit of 64 KiB is too small (ENOMEM)");
}

TEST(IoUringRefusal, kernel_versions_compare_as_numbers) {
  EXPECT_TRUE(kernel_at_least("5.10.0", 5, 1));
  EXPECT_TRUE(kernel_at_least("6.0.1-rc2", 5, 19));
  EXPECT_FALSE(kernel_at_least("5.9.16", 5, 10));
  EXPECT_FALSE(kernel_at_least("", 5, 1));
}

}  // namespace
}  // namespace skua::cli
