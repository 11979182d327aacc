// Each primitive of sync/ on a runtime of four workers, by tasks that yield and give up at random. What was printed as
// the seed repeats the choices, SKUA_TEST_SEED=N, if not the schedule; SKUA_TEST_SCALE=N makes it longer.
#include <skua/core/random.hpp>
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

/// `future`, unless it is still pending when it has been polled so often: then none.
template <class F>
class [[nodiscard]] Impatient {
  using Value = std::conditional_t<std::is_void_v<Output<F>>, bool, Output<F>>;

 public:
  Impatient(F future, std::uint32_t polls) : future_(std::move(future)), polls_(polls) {}
  Poll<std::optional<Value>> poll(Context& context) {
    auto result = future_.poll(context);
    if (result.is_pending()) {
      if (polls_-- == 0) return std::optional<Value>();
      context.waker().wake_by_ref();
      return pending;
    }
    if constexpr (std::is_void_v<Output<F>>) {
      return std::optional<Value>(true);
    } else {
      return std::optional<Value>(std::move(result).take());
    }
  }

 private:
  F future_;
  std::uint32_t polls_;
};

/// Choices of one task.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15u) {}
  bool one_in(std::uint32_t n) { return random_.below(n) == 0; }
  std::uint32_t below(std::uint32_t n) { return random_.below(n); }
  template <class F>
  Impatient<F> give_up(F future) {
    return Impatient<F>(std::move(future), below(4));
  }

 private:
  seam::Random random_;
};

class sync_stress : public testing::Test {
 protected:
  static constexpr int tasks = 6;

  void SetUp() override {
    const char* const given = std::getenv("SKUA_TEST_SEED");
    seed_ = given == nullptr ? seam::random_seed() >> 40 : std::strtoull(given, nullptr, 10);
    RecordProperty("seed", std::to_string(seed_));
    runtime_.emplace(Builder().workers(4).backend(Backend::epoll).build().value());
  }
  void TearDown() override {
    if (HasFailure())
      std::printf("to repeat the choices: SKUA_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }

  int steps() const { return static_cast<int>(at_scale(scaled(20'000, 3'000))); }
  Dice dice(int task) const { return Dice(seed_ + static_cast<std::uint64_t>(task)); }

  /// `body(i, dice)` as tasks, for each i of `count`; waits for all.
  template <class Body>
  void run(Body body, int count = tasks) {
    std::vector<JoinHandle<void>> handles;
    for (int i = 0; i < count; ++i) handles.push_back(runtime_->spawn(body(i, dice(i))));
    for (auto& handle : handles) {
      auto result = await_within(handle, std::chrono::seconds(60));
      ASSERT_TRUE(result.has_value()) << "a task does not end";
      ASSERT_TRUE(result->has_value());
    }
  }

  std::uint64_t seed_ = 0;
  std::optional<Runtime> runtime_;
};

TEST_F(sync_stress, semaphore) {
  constexpr std::size_t permits = 3;
  Semaphore semaphore(permits);
  std::atomic<std::size_t> used{0};
  run([&](int, Dice dice) -> Task<> {
    for (int i = 0; i < steps(); ++i) {
      const std::size_t count = 1 + dice.below(permits);
      auto permit = co_await dice.give_up(semaphore.acquire(count));
      if (!permit) continue;
      EXPECT_LE(used.fetch_add(count) + count, permits);
      if (dice.one_in(4)) co_await yield_now();
      used.fetch_sub(count);
    }
  });
  EXPECT_EQ(semaphore.available_permits(), permits);
}

TEST_F(sync_stress, mutex) {
  Mutex<long> counter(0);
  std::atomic<long> expected{0};
  run([&](int, Dice dice) -> Task<> {
    for (int i = 0; i < steps(); ++i) {
      auto guard = co_await dice.give_up(counter.lock());
      if (!guard) continue;
      const long seen = **guard;
      if (dice.one_in(4)) co_await yield_now();
      **guard = seen + 1;
      ++expected;
    }
  });
  EXPECT_EQ(counter.value_unlocked(), expected);
}

TEST_F(sync_stress, rw_lock) {
  struct Both {
    long first = 0;
    long second = 0;
  };
  RwLock<Both> both;
  std::atomic<long> expected{0};
  const auto change = [&](Both& value) {
    ++value.first;
    ++value.second;
    ++expected;
  };
  run([&](int, Dice dice) -> Task<> {
    for (int i = 0; i < steps(); ++i) {
      if (dice.one_in(4)) {
        auto writer = co_await dice.give_up(both.write());
        if (!writer) continue;
        change(**writer);
        if (dice.one_in(2)) co_await yield_now();
        auto reader = std::move(*writer).downgrade();
        EXPECT_EQ(reader->first, reader->second);
      } else if (dice.one_in(4)) {
        auto reader = co_await dice.give_up(both.read_upgradable());
        if (!reader) continue;
        const long seen = (*reader)->first;
        auto writer = co_await dice.give_up(std::move(*reader).upgrade());
        if (!writer) continue;
        EXPECT_EQ((*writer)->first, seen);
        change(**writer);
      } else {
        auto reader = co_await dice.give_up(both.read());
        if (!reader) continue;
        EXPECT_EQ((*reader)->first, (*reader)->second);
      }
    }
  });
  EXPECT_EQ(both.value_unlocked().first, expected);
}

TEST_F(sync_stress, condvar) {
  Mutex<long> stock(0);
  Condvar changed;
  const long each = steps();
  run([&](int i, Dice dice) -> Task<> {
    for (long left = each; left > 0;) {
      auto guard = co_await stock.lock();
      if (i % 2 == 0) {
        ++*guard;
        changed.notify_one();
        --left;
        continue;
      }
      while (*guard == 0) {
        auto again = co_await dice.give_up(changed.wait(std::move(guard)));
        if (!again) again.emplace(co_await stock.lock());
        guard = *std::move(again);
      }
      --*guard;
      --left;
    }
  });
  EXPECT_EQ(stock.value_unlocked(), 0);
}

TEST_F(sync_stress, notify) {
  Notify changed;
  std::atomic<long> stock{0};
  const long each = steps();
  run([&](int i, Dice dice) -> Task<> {
    for (long left = each; left > 0;) {
      if (i % 2 == 0) {
        ++stock;
        changed.notify_one();
        --left;
        if (dice.one_in(8)) co_await yield_now();
        continue;
      }
      auto notified = changed.notified();
      notified.enable();
      long seen = stock.load();
      while (seen > 0 && !stock.compare_exchange_weak(seen, seen - 1)) {
      }
      if (seen > 0) {
        --left;
        continue;  // a notification that had chosen it goes on to another
      }
      for (std::uint32_t polls = dice.below(4); polls > 0; --polls) {
        if (co_await poll_once(notified)) break;
        co_await yield_now();
      }
    }
  });
  EXPECT_EQ(stock, 0);
}

TEST_F(sync_stress, barrier) {
  Barrier barrier(tasks);
  std::vector<long> rounds(tasks);
  std::atomic<long> lasts{0};
  const long count = steps() / 10;
  run([&](int i, Dice dice) -> Task<> {
    for (long round = 1; round <= count; ++round) {
      // It does not come this time, and then it does: nobody goes on before. The others read what it writes.
      {
        auto dropped = barrier.wait();
      }
      rounds[static_cast<std::size_t>(i)] = round;
      if (dice.one_in(4)) co_await yield_now();
      if (co_await barrier.wait()) ++lasts;
      for (const long other : rounds) EXPECT_EQ(other, round);
      co_await barrier.wait();
    }
  });
  EXPECT_EQ(lasts, count);
}

TEST_F(sync_stress, latch_and_once_cell) {
  for (int i = 0; i < steps() / 20; ++i) {
    Latch latch(tasks - 1);
    OnceCell<long> cell;
    std::vector<long> written(tasks);
    std::atomic<int> made{0};
    run([&](int task, Dice dice) -> Task<> {
      const auto make = [&made]() -> Task<long> {
        co_await yield_now();
        co_return 100 + ++made;
      };
      if (dice.one_in(2)) {
        auto attempt = dice.give_up(cell.get_or_init(make));
        static_cast<void>(co_await attempt);
      }
      const long value = *co_await cell.get_or_init(make);
      EXPECT_EQ(value, *cell.get());
      written[static_cast<std::size_t>(task)] = value;
      if (task > 0) {
        latch.count_down();
      } else {
        co_await latch.wait();
        for (const long other : written) EXPECT_EQ(other, value);
      }
    });
  }
}

TEST_F(sync_stress, oneshot) {
  run([&](int, Dice dice) -> Task<> {
    for (int i = 0; i < steps() / 4; ++i) {
      auto [sender, receiver] = oneshot<std::unique_ptr<int>>();
      const bool is_sent = dice.one_in(2);
      auto other = spawn([mine = std::move(sender), is_sent, i]() mutable -> Task<bool> {
        if (!is_sent) co_return false;
        co_return mine.send(std::make_unique<int>(i)).has_value();
      });
      if (dice.one_in(3)) {
        {
          const auto gone = std::move(receiver);
        }
        static_cast<void>(co_await other);
        continue;
      }
      auto value = co_await receiver;
      EXPECT_EQ(value.has_value(), is_sent);
      EXPECT_EQ(value ? **value : i, i);
      EXPECT_EQ((co_await other).value(), is_sent);
    }
  });
}

/// For channel() and rendezvous(): `send(dice, sender, message)` returns whether it is sent.
template <class Ends, class Send>
void send_and_receive(Ends ends, int tasks, int steps, Send send, auto run) {
  std::atomic<long> sent{0};
  std::atomic<long> received{0};
  std::atomic<int> senders{tasks / 2};
  auto sender = std::make_shared<std::optional<decltype(ends.first)>>(std::move(ends.first));
  run([&, sender](int i, Dice dice) -> Task<> {
    if (i % 2 == 0) {
      auto mine = **sender;
      if (--senders == 0) sender->reset();  // each has its copy
      while (senders > 0) co_await yield_now();
      for (int message = 1; message <= steps; ++message) {
        if (co_await send(dice, mine, message)) sent += message;
      }
      co_return;
    }
    for (;;) {
      auto next = co_await dice.give_up(ends.second.receive());
      if (!next) continue;
      if (!*next) co_return;
      received += **next;
    }
  });
  EXPECT_EQ(sent, received);
  EXPECT_GT(sent, 0);
}

TEST_F(sync_stress, channel) {
  send_and_receive(
      channel<int>(2), tasks, steps(),
      [](Dice& dice, Sender<int>& sender, int message) -> Task<bool> {
        auto result = co_await dice.give_up(sender.send(message));
        co_return result && result->has_value();
      },
      [this](auto body) { run(std::move(body)); });
}

TEST_F(sync_stress, rendezvous) {
  send_and_receive(
      rendezvous<int>(), tasks, steps(),
      [](Dice& dice, RendezvousSender<int>& sender, int message) -> Task<bool> {
        auto send = sender.send(message);
        for (std::uint32_t polls = dice.below(4); polls > 0; --polls) {
          if (auto result = co_await poll_once(send)) co_return result->has_value();
          co_await yield_now();
        }
        co_return !send.take_back().has_value();
      },
      [this](auto body) { run(std::move(body)); });
}

TEST_F(sync_stress, watch) {
  auto [sender, receiver] = watch<long>(0);
  std::optional<WatchSender<long>> only(std::move(sender));
  const long last = steps();
  run([&, first = receiver](int i, Dice dice) -> Task<> {
    if (i == 0) {
      for (long value = 1; value <= last; ++value) {
        only->send(value);
        if (dice.one_in(8)) co_await yield_now();
      }
      only.reset();
      co_return;
    }
    auto mine = first;
    long seen = 0;
    for (;;) {
      auto changed = co_await dice.give_up(mine.changed());
      if (changed && !*changed) break;
      const long value = *mine.latest();
      EXPECT_GE(value, seen);
      seen = value;
    }
    EXPECT_EQ(seen, last);
  });
}

TEST_F(sync_stress, broadcast) {
  auto [sender, receiver] = broadcast<long>(8);
  std::optional<BroadcastSender<long>> only(std::move(sender));
  const long last = steps();
  run([&, first = receiver](int i, Dice dice) -> Task<> {
    if (i == 0) {
      for (long message = 1; message <= last; ++message) {
        only->send(message);
        if (dice.one_in(4)) co_await yield_now();
      }
      only.reset();
      co_return;
    }
    auto mine = first;
    long received = 0;
    for (;;) {
      auto next = co_await dice.give_up(mine.receive());
      if (!next) continue;
      if (*next) {
        ++received;
        EXPECT_EQ(***next, received + static_cast<long>(mine.missed()));
      } else if (next->error().code() == SyncError::closed) {
        break;
      }
    }
    EXPECT_EQ(received + static_cast<long>(mine.missed()), last);
  });
}

}  // namespace

}  // namespace skua::tests
