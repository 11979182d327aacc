// What allocates nothing once its buffers have grown: lines into one string, copies, items of a codec on the way.
#include <skua/skua.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

namespace {
std::atomic<std::size_t> allocations{0};
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1);
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace skua::tests {
namespace {

/// Counts the reads that pass through it.
template <class R>
class CountsReads {
 public:
  CountsReads(R reader, std::size_t& reads) : reader_(std::move(reader)), reads_(&reads) {}
  auto read(MutableBuffer buffer) {
    ++*reads_;
    return reader_.read(buffer);
  }

 private:
  R reader_;
  std::size_t* reads_;
};

/// The same line, for ever.
class EndlessLines {
 public:
  auto read(MutableBuffer buffer) {
    return WhenBudgeted([this, buffer] {
      static constexpr std::string_view line = "a line that is too long for the string's own memory\r\n";
      for (std::size_t i = 0; i < buffer.size(); ++i) {
        buffer.data()[i] = static_cast<std::byte>(line[place_]);
        place_ = (place_ + 1) % line.size();
      }
      return buffer.size();
    });
  }

 private:
  std::size_t place_ = 0;
};

Task<std::size_t> allocations_for_lines() {
  BufferedReader reader{EndlessLines()};
  std::string line;
  for (int i = 0; i < 1'000; ++i) (co_await read_line(reader, line)).value();
  const std::size_t before = allocations.load();
  for (int i = 0; i < 10'000; ++i) (co_await read_line(reader, line)).value();
  EXPECT_EQ(line, "a line that is too long for the string's own memory");
  co_return allocations.load() - before;
}

TEST(streams, reading_lines_into_one_string_allocates_nothing) {
  Runtime runtime = Builder().workers(2).build().value();  // of auto, the quota is looked at now and then
  EXPECT_EQ(runtime.block_on(allocations_for_lines()), 0u);
}

Task<Result<std::uint64_t>> copies(TcpStream from, std::size_t& reads) {
  CountsReads counted(std::move(from), reads);
  Sink nowhere;
  co_return co_await copy(counted, nowhere, CopyOptions().buffer_size(1'000));
}

Task<> copies_over_tcp(std::size_t total, std::size_t& reads, std::size_t& allocated) {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  TcpStream sender = (co_await TcpStream::connect(listener.local_address().value())).value();
  TcpStream receiver = (co_await listener.accept()).value().stream;
  const std::string block(100'000, 'x');
  auto copying = spawn(copies(std::move(receiver), reads));
  for (std::size_t done = 0; done < total; done += block.size()) {
    (co_await sender.write_all(block)).value();
    if (done == 0) allocated = allocations.load();
  }
  allocated = allocations.load() - allocated;
  sender.shutdown(Shutdown::write).value();
  EXPECT_EQ((co_await copying).value().value(), total);
}

TEST(streams, copying_allocates_nothing_for_a_chunk) {
  Runtime runtime = Builder().workers(1).build().value();
  std::size_t reads = 0, allocated = 0;
  runtime.block_on(runtime.spawn(copies_over_tcp(10'000'000, reads, allocated))).value();
  EXPECT_GE(reads, 10'000u);
  EXPECT_LT(allocated, 100u) << "a few for queues that grow; one for each chunk would be 10 000";
}

Task<std::size_t> allocations_for_frames() {
  auto [left, right] = duplex(10'000);
  FramedWrite writer(std::move(left), LengthDelimitedCodec());
  FramedRead reader(std::move(right), LengthDelimitedCodec());
  const std::string item("short");  // in the string itself
  std::size_t before = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (i == 1'000) before = allocations.load();
    (co_await writer.send(item)).value();
    EXPECT_EQ((co_await reader.next()).value(), item);
  }
  co_return allocations.load() - before;
}

TEST(streams, frames_allocate_nothing_but_their_items) {
  Runtime runtime = Builder().workers(2).build().value();  // of auto, the quota is looked at now and then
  EXPECT_EQ(runtime.block_on(allocations_for_frames()), 0u);
}

}  // namespace
}  // namespace skua::tests
