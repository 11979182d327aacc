#include <skua/core/assert.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/mutex.hpp>
#include <skua/io/mock_stream.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace skua {

namespace {

enum class MockAction { write, read, read_error, write_error, shutdown, wait };

struct MockStep {
  MockStep(MockAction what, std::string_view text) : action(what), bytes(text) {}
  MockStep(MockAction what, std::errc code) : action(what), error(code) {}
  explicit MockStep(Duration pause) : action(MockAction::wait), duration(pause) {}

  MockAction action;
  std::string bytes;  // what is still to be written or read of it
  std::errc error{};
  Duration duration{};
  std::optional<Instant> until;  // of a wait that has begun
};

/// As in a C++ program, cut where it becomes long.
std::string quoted(std::string_view bytes) {
  constexpr std::size_t most = 60;
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(1, '"');
  for (const char c : bytes.substr(0, most)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '"' || c == '\\') {
      (text += '\\') += c;
    } else if (code < 0x20 || code > 0x7e) {
      ((text += "\\x") += digits[code >> 4]) += digits[code & 15];
    } else {
      text += c;
    }
  }
  text += '"';
  if (bytes.size() > most) (text += "... of ") += std::to_string(bytes.size()) + " bytes";
  return text;
}

std::string described(const MockStep& step) {
  switch (step.action) {
    case MockAction::write: return std::string("a write of ").append(quoted(step.bytes));
    case MockAction::read: return std::string("a read of ").append(quoted(step.bytes));
    case MockAction::read_error:
      return std::string("a read that fails: ").append(std::make_error_code(step.error).message());
    case MockAction::write_error:
      return std::string("a write that fails: ").append(std::make_error_code(step.error).message());
    case MockAction::shutdown: return "a shutdown";
    case MockAction::wait: return "a wait";
  }
  return {};
}

std::string_view text_of(ConstBuffer buffer) { return {reinterpret_cast<const char*>(buffer.data()), buffer.size()}; }

}  // namespace

class MockState : public RefCounted<MockState> {
 public:
  void add(MockStep step) {
    const seam::Lock lock(mutex_);
    steps_.push_back(std::move(step));
  }

  Poll<Result<std::size_t>> read(Context& context, MutableBuffer buffer, std::optional<Sleep>& pause) {
    if (!budget::take(context)) return pending;
    if (buffer.size() == 0) return Result<std::size_t>(0);
    Woken woken;
    const seam::Lock lock(mutex_);
    if (!pass_wait(context, pause, woken)) return wait(reader_, context);
    if (!problem_.empty()) return Result<std::size_t>(failure("read"));
    if (has_ended()) return Result<std::size_t>(0);
    MockStep& step = front();
    if (step.action == MockAction::read) {
      const std::size_t count = std::min(buffer.size(), step.bytes.size());
      std::memcpy(buffer.data(), step.bytes.data(), count);
      use_up(count, woken);
      return Result<std::size_t>(count);
    }
    if (step.action == MockAction::read_error) return fail(step.error, "read", woken);
    return wait(reader_, context);
  }

  Poll<Result<std::size_t>> write(Context& context, ConstBuffer buffer, std::optional<Sleep>& pause) {
    if (!budget::take(context)) return pending;
    if (buffer.size() == 0) return Result<std::size_t>(0);
    Woken woken;
    const seam::Lock lock(mutex_);
    if (!pass_wait(context, pause, woken)) return wait(writer_, context);
    if (problem_.empty() && has_ended()) {
      note_problem("after the last step, a write of " + quoted(text_of(buffer)), woken);
    }
    if (!problem_.empty()) return Result<std::size_t>(failure("write"));
    MockStep& step = front();
    if (step.action == MockAction::write) {
      const std::size_t count = std::min(buffer.size(), step.bytes.size());
      if (std::memcmp(buffer.data(), step.bytes.data(), count) != 0) {
        note_problem(number() + ": instead of " + described(step) + ", a write of " + quoted(text_of(buffer)), woken);
        return Result<std::size_t>(failure("write"));
      }
      use_up(count, woken);
      return Result<std::size_t>(count);
    }
    if (step.action == MockAction::write_error) return fail(step.error, "write", woken);
    return wait(writer_, context);
  }

  Result<void> shutdown() {
    Woken woken;
    const seam::Lock lock(mutex_);
    if (!problem_.empty()) return failure("shutdown");
    const auto is_shutdown = [](const MockStep& step) { return step.action == MockAction::shutdown; };
    if (!has_ended() && is_shutdown(front())) {
      step_done(woken);
    } else if (std::any_of(steps_.begin() + static_cast<std::ptrdiff_t>(next_), steps_.end(), is_shutdown)) {
      note_problem(number() + ": instead of " + described(front()) + ", a shutdown", woken);
      return failure("shutdown");
    }
    return {};
  }

  std::string unmet() {
    const seam::Lock lock(mutex_);
    std::string text = problem_;
    for (std::size_t i = next_; i < steps_.size(); ++i) {
      if (!text.empty()) text += '\n';
      text += "step " + std::to_string(i + 1) + " has not happened: " + described(steps_[i]);
    }
    return text;
  }

 private:
  /// Wakes when the lock has been released.
  class Woken {
   public:
    Woken() = default;
    Woken(const Woken&) = delete;
    Woken& operator=(const Woken&) = delete;
    ~Woken() {
      std::move(reader).wake();
      std::move(writer).wake();
    }
    Waker reader;
    Waker writer;
  };

  bool has_ended() const SKUA_REQUIRES(mutex_) { return next_ == steps_.size(); }
  MockStep& front() SKUA_REQUIRES(mutex_) { return steps_[next_]; }
  std::string number() const SKUA_REQUIRES(mutex_) { return "step " + std::to_string(next_ + 1); }

  Poll<Result<std::size_t>> wait(Waker& waiter, Context& context) SKUA_REQUIRES(mutex_) {
    waiter = context.waker();
    budget::give_back();
    return pending;
  }
  void step_done(Woken& woken) SKUA_REQUIRES(mutex_) {
    ++next_;
    woken.reader = std::exchange(reader_, Waker());
    woken.writer = std::exchange(writer_, Waker());
  }
  void use_up(std::size_t count, Woken& woken) SKUA_REQUIRES(mutex_) {
    front().bytes.erase(0, count);
    if (front().bytes.empty()) step_done(woken);
  }
  Result<std::size_t> fail(std::errc code, const char* operation, Woken& woken) SKUA_REQUIRES(mutex_) {
    step_done(woken);
    return Error(code, operation, "as the script says");
  }
  void note_problem(std::string text, Woken& woken) SKUA_REQUIRES(mutex_) {
    problem_ = std::move(text);
    woken.reader = std::exchange(reader_, Waker());
    woken.writer = std::exchange(writer_, Waker());
  }
  Error failure(const char* operation) const SKUA_REQUIRES(mutex_) {
    return Error(std::errc::protocol_error, operation, problem_);
  }

  /// False while the script says to wait. `pause` belongs to the operation: it wakes its task.
  bool pass_wait(Context& context, std::optional<Sleep>& pause, Woken& woken) SKUA_REQUIRES(mutex_) {
    while (!has_ended() && front().action == MockAction::wait) {
      MockStep& step = front();
      if (!step.until) step.until = saturating_add(Clock::now(), step.duration);
      if (Clock::now() < *step.until) {
        if (!pause || pause->deadline() != *step.until) pause.emplace(*step.until);
        if (pause->poll_without_budget(context).is_pending()) return false;
      }
      step_done(woken);
    }
    return true;
  }

  seam::Mutex mutex_;
  std::vector<MockStep> steps_ SKUA_GUARDED_BY(mutex_);
  std::size_t next_ SKUA_GUARDED_BY(mutex_) = 0;
  std::string problem_ SKUA_GUARDED_BY(mutex_);
  Waker reader_ SKUA_GUARDED_BY(mutex_);
  Waker writer_ SKUA_GUARDED_BY(mutex_);
};

MockStream::MockStream(Ref<MockState> state) noexcept : state_(std::move(state)) {}
MockStream::MockStream(MockStream&&) noexcept = default;
MockStream::~MockStream() = default;

Poll<Result<std::size_t>> MockStream::Read::poll(Context& context) { return state_.read(context, buffer_, pause_); }
Poll<Result<std::size_t>> MockStream::Write::poll(Context& context) { return state_.write(context, buffer_, pause_); }
Result<void> MockStream::shutdown() { return state_->shutdown(); }

MockScript::MockScript() : state_(make_ref<MockState>()) {}
MockScript::~MockScript() {
  if (asked_) return;
  if (const std::string text = unmet(); !text.empty()) {
    fail_fast("nobody asked what of a mock script is unmet: " + text,
              "End the test with EXPECT_EQ(script.unmet(), \"\").");
  }
}

MockScript& MockScript::expect_write(std::string_view bytes) {
  if (!bytes.empty()) state_->add(MockStep(MockAction::write, bytes));
  return *this;
}
MockScript& MockScript::give_read(std::string_view bytes) {
  if (!bytes.empty()) state_->add(MockStep(MockAction::read, bytes));
  return *this;
}
MockScript& MockScript::fail_read(std::errc error) {
  state_->add(MockStep(MockAction::read_error, error));
  return *this;
}
MockScript& MockScript::fail_write(std::errc error) {
  state_->add(MockStep(MockAction::write_error, error));
  return *this;
}
MockScript& MockScript::expect_shutdown() {
  state_->add(MockStep(MockAction::shutdown, std::errc{}));
  return *this;
}
MockScript& MockScript::wait_for(Duration duration) {
  state_->add(MockStep(duration));
  return *this;
}

MockStream MockScript::stream() {
  if (std::exchange(has_stream_, true)) {
    fail_fast("a second stream of one mock script", "Write a script for each stream.");
  }
  return MockStream(state_);
}

std::string MockScript::unmet() const {
  asked_ = true;
  return state_->unmet();
}

}  // namespace skua
