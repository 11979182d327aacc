// Memory that the kernel may write to, built with SKUA_PROTECT_BUFFERS whatever the rest of the build has.
#include <skua/core/io_memory.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace skua::tests {
namespace {

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

char* bytes_of(void* block) { return static_cast<char*>(block); }

TEST(io_memory, every_byte_of_a_block_can_be_used) {
  ASSERT_TRUE(io_memory::is_protected());
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1000u, 4095u, 4096u, 4097u, 100'000u}) {
    void* const block = io_memory::allocate(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u);
    std::memset(block, 1, size);
    io_memory::release(block, size);
  }
}

TEST(io_memory, quarantine_is_bounded) {
  for (int i = 0; i < 2000; ++i) io_memory::release(io_memory::allocate(100), 100);
  const std::size_t before = mappings();
  for (int i = 0; i < 20'000; ++i) io_memory::release(io_memory::allocate(100), 100);
  EXPECT_LT(mappings(), before + 100);
}

TEST(io_memory, any_thread_allocates_and_releases) {
  std::vector<std::pair<void*, std::size_t>> blocks(400);
  const auto on_four_threads = [](auto body) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  };
  on_four_threads([&](std::size_t thread) {
    for (std::size_t i = thread; i < blocks.size(); i += 4) {
      blocks[i] = {io_memory::allocate(i * 50), i * 50};
      std::memset(blocks[i].first, static_cast<int>(i), i * 50);
    }
  });
  on_four_threads([&](std::size_t thread) {
    for (std::size_t i = thread; i < blocks.size(); i += 4) {
      const auto [block, size] = blocks[blocks.size() - 1 - i];
      const auto expected = static_cast<char>(blocks.size() - 1 - i);
      for (std::size_t k = 0; k < size; ++k) ASSERT_EQ(bytes_of(block)[k], expected);
      io_memory::release(block, size);
    }
  });
}

using io_memory_death = testing::Test;

TEST(io_memory_death, a_byte_beyond_the_pages_is_refused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  volatile char* const block = bytes_of(io_memory::allocate(64));
  EXPECT_DEATH(block[64] = 1, "");
  io_memory::release(const_cast<char*>(block), 64);
}

TEST(io_memory_death, a_released_block_is_refused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  volatile char* const block = bytes_of(io_memory::allocate(64));
  block[0] = 1;
  io_memory::release(const_cast<char*>(block), 64);
  EXPECT_DEATH(block[0] = 2, "");
}

TEST(io_memory_death, bytes_written_beside_a_block_are_noticed_at_release) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int place : {-1, 50}) {
    char* const block = bytes_of(io_memory::allocate(50));
    const char before = std::exchange(block[place], 'x');
    EXPECT_DEATH(io_memory::release(block, 50), "bytes beside a buffer in flight were overwritten");
    block[place] = before;
    io_memory::release(block, 50);
  }
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int read_end() const { return ends_[0]; }
  void write(const char* text) { EXPECT_EQ(::write(ends_[1], text, std::strlen(text)), std::ssize(std::string(text))); }

 private:
  int ends_[2] = {-1, -1};
};

TEST(io_memory, a_system_call_cannot_write_to_a_released_block) {
  Pipe pipe;
  void* const block = io_memory::allocate(100);
  io_memory::release(block, 100);
  pipe.write("late");
  EXPECT_EQ(::read(pipe.read_end(), block, 100), -1);
  EXPECT_EQ(errno, EFAULT);
}

// The mistake that it is for: a read is in flight, its buffer is given back, then the bytes come.
TEST(io_memory, a_late_completion_reports_efault) {
  io_uring ring;
  if (const int error = io_uring_queue_init(4, &ring, 0); error < 0) GTEST_SKIP() << "io_uring is refused here";
  Pipe pipe;
  for (const bool released_early : {false, true}) {
    void* const block = io_memory::allocate(100);
    io_uring_prep_read(io_uring_get_sqe(&ring), pipe.read_end(), block, 100, 0);
    EXPECT_EQ(io_uring_submit(&ring), 1);
    if (released_early) io_memory::release(block, 100);
    pipe.write("late");
    io_uring_cqe* completion = nullptr;
    ASSERT_EQ(io_uring_wait_cqe(&ring, &completion), 0);
    EXPECT_EQ(completion->res, released_early ? -EFAULT : 4);
    io_uring_cqe_seen(&ring, completion);
    if (!released_early) io_memory::release(block, 100);
  }
  io_uring_queue_exit(&ring);
}

}  // namespace
}  // namespace skua::tests
