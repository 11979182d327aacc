#include <skua/core/assert.hpp>
#include <skua/task/local_set.hpp>

namespace skua {

namespace {
constinit thread_local LocalSet* current_set = nullptr;
constexpr int polls_in_a_row = 61;

// Of this thread, as long as it lives.
const void* thread_mark() noexcept {
  static constinit thread_local char mark = 0;
  return &mark;
}
}  // namespace

LocalSet& LocalSet::current() {
  if (current_set != nullptr) return *current_set;
  fail_fast("spawn_local() was called outside of a LocalSet", "Call it in run_until(), or in a task of the set");
}

LocalSet::Entered::Entered(LocalSet& set) : before_(std::exchange(current_set, &set)) {
  if (set.thread_ == nullptr) set.thread_ = thread_mark();
  if (set.thread_ != thread_mark()) {
    fail_fast("a LocalSet was used by another thread than before: what polls it has moved",
              "Run it in block_on(), not in a task that was spawned");
  }
}

LocalSet::Entered::~Entered() { current_set = before_; }

LocalSet::~LocalSet() {
  if (tasks_.size() == 0) return;
  const Entered entered(*this);
  // One at a time: a destructor may spawn another.
  while (Tasks::Entry* const entry = tasks_.any()) finish(*entry);
}

void LocalSet::add(std::unique_ptr<LocalTask> task) {
  const std::shared_ptr<LocalEnd> end = task->end();
  Tasks::Entry& entry = tasks_.insert(std::move(task));
  end->task = entry.waker();
  entry.wake();
}

Poll<void> LocalSet::poll(Context& context) {
  const Entered entered(*this);
  for (int i = 0; i < polls_in_a_row && budget::remaining() != 0; ++i) {
    if (tasks_.size() == 0) return ready;
    Tasks::Entry* const entry = tasks_.pop_woken(context.waker());
    if (entry == nullptr) return pending;
    run(*entry);
  }
  if (tasks_.size() == 0) return ready;
  context.waker().wake_by_ref();
  return pending;
}

void LocalSet::run(Tasks::Entry& entry) {
  LocalTask& task = *entry.value();
  if (task.end()->is_aborted) return finish(entry);
  const Waker waker = entry.waker();
  Context context(waker);
  if (task.poll(context)) finish(entry);
}

void LocalSet::finish(Tasks::Entry& entry) {
  std::unique_ptr<LocalTask> task = tasks_.take(entry);
  const std::shared_ptr<LocalEnd> end = task->end();
  task.reset();
  end->task = Waker();
  end->has_ended = true;
  std::move(end->joiner).wake();
}

}  // namespace skua
