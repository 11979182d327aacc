// A test that runs on both back ends, in both reactor modes, with one worker and with two: every pair of these occurs.
#pragma once

#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace skua::tests {

struct Setup {
  Backend backend;
  ReactorMode mode;
  std::uint32_t workers;
};
inline std::string name_of(const Setup& setup) {
  return std::string(setup.backend == Backend::epoll ? "epoll" : "io_uring") + "_" +
         (setup.mode == ReactorMode::workers ? "workers" : "thread") + "_" + std::to_string(setup.workers);
}
inline void PrintTo(const Setup& setup, std::ostream* out) { *out << name_of(setup); }

inline constexpr Setup every_setup[] = {{Backend::io_uring, ReactorMode::workers, 2},
                                        {Backend::io_uring, ReactorMode::thread, 1},
                                        {Backend::epoll, ReactorMode::workers, 1},
                                        {Backend::epoll, ReactorMode::thread, 2}};
inline const auto each_setup = testing::ValuesIn(every_setup);

inline Result<Runtime> build(const Setup& setup) {
  return Builder().backend(setup.backend).reactor_mode(setup.mode).workers(setup.workers).build();
}

class EachRuntime : public testing::TestWithParam<Setup> {
 protected:
  void SetUp() override {
    auto runtime = build(GetParam());
    if (!runtime) GTEST_SKIP() << name_of(GetParam()) << " is refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
  }

  /// Runs `task` as a task of the runtime, on a worker, and returns its output. Throws what it throws, and when it does
  /// not end.
  template <class T>
  T run(Task<T> task) {
    auto handle = runtime_->spawn(std::move(task));
    auto result = await_within(handle, std::chrono::seconds(30));
    if (!result) throw std::runtime_error("the task does not end");
    return std::move(*result).value();
  }

  std::optional<Runtime> runtime_;
};

inline Instant now() { return Clock::now(); }

}  // namespace skua::tests
