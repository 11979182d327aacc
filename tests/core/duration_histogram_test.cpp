#include <skua/core/duration_histogram.hpp>

#include <gtest/gtest.h>

namespace skua {
namespace {

using namespace std::chrono_literals;
using H = DurationHistogram;

TEST(duration_histogram, each_duration_falls_into_the_one_bucket_that_it_fits) {
  for (std::size_t i = 0; i + 1 < H::buckets; ++i) {
    const Duration bound = H::upper_bound(i);
    EXPECT_EQ(bound.count(), std::int64_t{1} << (10 + i));
    EXPECT_EQ(H::bucket_of(bound), i) << "a bound belongs to its bucket";
    EXPECT_EQ(H::bucket_of(bound + 1ns), i + 1);
  }
  EXPECT_EQ(H::bucket_of(-1ns), 0U);
  EXPECT_EQ(H::bucket_of(0ns), 0U);
  EXPECT_EQ(H::bucket_of(1ns), 0U);
  EXPECT_EQ(H::bucket_of(17s), H::buckets - 2);
  EXPECT_EQ(H::bucket_of(18s), H::buckets - 1);
  EXPECT_EQ(H::bucket_of(Duration::max()), H::buckets - 1);
  EXPECT_EQ(H::upper_bound(H::buckets - 1), Duration::max());
}

TEST(duration_histogram, counts_add_up) {
  DurationCounts counts;
  counts.record(500ns);
  counts.record(1us);
  counts.record(3ms);
  counts.record(-5ns);  // a clock that another thread read a moment earlier
  const H before = counts.read();
  EXPECT_EQ(before.count(), 4U);
  EXPECT_EQ(before.counts[0], 3U);
  EXPECT_EQ(before.sum, 3ms + 1us + 500ns);
  counts.record(1h);
  H after = counts.read();
  EXPECT_EQ(after.counts.back(), 1U);
  after -= before;
  EXPECT_EQ(after.count(), 1U);
  EXPECT_EQ(after.sum, 1h);
  after += before;
  EXPECT_EQ(after, counts.read());
}

TEST(counter, one_writer_any_readers) {
  Counter counter;
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.read(), 42U);
  counter.raise_to(7);
  EXPECT_EQ(counter.read(), 42U);
  counter.raise_to(100);
  EXPECT_EQ(counter.read(), 100U);
}

}  // namespace
}  // namespace skua
