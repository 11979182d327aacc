// The harness of the model tests: what a model is made of, and the runner that searches its interleavings.
//
// A model is a relacy test suite: before() builds the objects, thread(i) runs on thread i, after() checks what is left.
//
//   struct Model : rl::test_suite<Model, 2> { ... };
//   int main(int argc, char** argv) {
//     model::Runner runner("structure", argc, argv);
//     runner.run<Model, model::Search::full>("what_it_shows");
//     return runner.exit_code();
//   }
//
// What the checker reports: a failed check() or SKUA_ASSERT, a data race on a Var, a deadlock, a livelock, a leak, a
// double free, use after free. On failure the history of that interleaving is printed; it is the same on every run.
//
//   model_structure             all models of the structure
//   model_structure NAME...     these ones; an unknown name is an error
//   SKUA_MODEL_ITERATIONS=N     interleavings of each random search, 10^6 by default
#pragma once

#include "random_search.hpp"

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <source_location>
#include <streambuf>
#include <string_view>
#include <type_traits>

namespace skua {

[[noreturn]] inline void fail_model(const char* text, const rl::debug_info& at) noexcept {
  rl::ctx().fail_test(text, rl::test_result_user_assert_failed, at);
  std::abort();  // not reached: the checker has left this thread
}
void assertion_failed(const char* condition, const char* file, int line) noexcept {
  fail_model(condition, {"SKUA_ASSERT", file, static_cast<unsigned>(line)});
}
void fail_fast(std::string_view cause, std::string_view) noexcept { fail_model(cause.data(), {"fail_fast"}); }

}  // namespace skua

namespace skua::model {

/// Fails the interleaving unless `condition` holds.
inline void check(bool condition, const char* text, std::source_location at = std::source_location::current()) {
  if (!condition) fail_model(text, place(at));
}

/// Plain data: two accesses that are not ordered by happens-before, one of them a write, are reported as a race.
template <class T>
class Var {
  using Place = std::source_location;

 public:
  explicit Var(T value = T{}) : var_(value) {}

  T read(Place at = Place::current()) const { return var_(place(at)).load(); }
  void write(T value, Place at = Place::current()) { var_(place(at)).store(value); }
  /// Adds, and returns what it was before.
  T add(T change, Place at = Place::current()) {
    const T before = read(at);
    write(static_cast<T>(before + change), at);
    return before;
  }

 private:
  rl::var<T> var_;
};

/// A flag that threads wait for. Orders what came before set() before what comes after wait().
class Event {
 public:
  void set() {
    {
      const seam::Lock lock(mutex_);
      is_set_ = true;
    }
    condition_.notify_all();
  }
  void wait() {
    const seam::Lock lock(mutex_);
    while (!is_set_) condition_.wait(mutex_);
  }
  /// wait(), and the flag is down again.
  void consume() {
    const seam::Lock lock(mutex_);
    while (!is_set_) condition_.wait(mutex_);
    is_set_ = false;
  }

 private:
  seam::Mutex mutex_;
  seam::Condvar condition_;
  bool is_set_ = false;
};

enum class Search {
  random,  // SKUA_MODEL_ITERATIONS interleavings, each choice by lot
  bound3,  // all interleavings with up to three preemptions
  full,    // all interleavings
};

class Runner {
 public:
  Runner(const char* structure, int argc, char** argv) : structure_(structure), names_(argv + 1), count_(argc - 1) {
    if (const char* text = std::getenv("SKUA_MODEL_ITERATIONS")) iterations_ = std::strtoull(text, nullptr, 10);
  }

  /// `share`: of the random interleavings, for a model whose interleavings are long: one in so many.
  template <class Model, Search search = Search::random>
  void run(const char* name, unsigned long long share = 1) {
    if (!is_selected(name)) return;
    Transcript transcript;
    std::ostream stream(&transcript);
    std::ostream silence(nullptr);
    rl::test_params params;
    params.iteration_count = search == Search::random ? iterations_ / share : ~rl::iteration_t{0} / 128;
    params.search_type = search == Search::random   ? rl::random_scheduler_type
                         : search == Search::bound3 ? rl::fair_context_bound_scheduler_type
                                                    : rl::fair_full_search_scheduler_type;
    params.context_bound = 3;
    params.output_stream = &stream;
    params.progress_stream = &silence;
    const auto start = std::chrono::steady_clock::now();
    const bool passed = simulate<Model, search>(params);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%-12s %-44s %-7s %9llu %7.2f s  %s\n", structure_, name, word_for(search),
                static_cast<unsigned long long>(params.stop_iteration), elapsed.count(),
                passed ? "ok" : rl::test_result_str(params.test_result));
    if (!passed) transcript.print();
    std::fflush(stdout);
    failed_ = failed_ || !passed;
  }

  /// 0: all passed. 1: a model failed. 2: no model was run, or a name is unknown.
  int exit_code() const {
    if (failed_) return 1;
    return found_ == 0 || found_ < count_ ? 2 : 0;
  }

 private:
  // Keeps the end of what relacy prints. It prints while the checker owns `new`, so this must not allocate.
  class Transcript : public std::streambuf {
   public:
    void print() const { std::fwrite(text_, 1, size_, stdout); }

   private:
    int overflow(int character) override {
      const char c = static_cast<char>(character);
      xsputn(&c, 1);
      return character;
    }
    std::streamsize xsputn(const char* from, std::streamsize count) override {
      const auto wanted = static_cast<std::size_t>(count);
      const std::size_t taken = wanted < sizeof(text_) - size_ ? wanted : sizeof(text_) - size_;
      std::memcpy(text_ + size_, from, taken);
      size_ += taken;
      return count;
    }
    static inline char text_[1 << 20];
    std::size_t size_ = 0;
  };

  // As rl::simulate(), which compiles every model for all three kinds of search.
  template <class Model, Search search>
  static bool simulate(rl::test_params& params) {
    constexpr rl::thread_id_t threads = Model::params::thread_count;
    using Scheduler =
        std::conditional_t<search == Search::random, RandomSearch<threads>,
                           std::conditional_t<search == Search::bound3, rl::context_bound_scheduler<threads>,
                                              rl::full_search_scheduler<threads>>>;
    rl::ostringstream state;
    if (rl::run_test<Model, Scheduler>(params, state, false) == rl::test_result_success) return true;
    params.initial_state = state.str();
    params.collect_history = true;
    rl::ostringstream ignored;
    rl::run_test<Model, Scheduler>(params, ignored, true);  // the failed interleaving once more
    return false;
  }

  static const char* word_for(Search search) noexcept {
    if (search == Search::random) return "random";
    return search == Search::bound3 ? "bound 3" : "full";
  }
  bool is_selected(std::string_view name) noexcept {
    bool selected = count_ == 0;
    for (int i = 0; i < count_; ++i) selected = selected || name == names_[i];
    found_ += selected ? 1 : 0;
    return selected;
  }

  const char* const structure_;
  char** const names_;
  const int count_;
  unsigned long long iterations_ = 1'000'000;
  int found_ = 0;
  bool failed_ = false;
};

}  // namespace skua::model
