// Operation: a call that has no readiness (a file is opened, read, renamed; a function blocks), with all it needs.
//
// It is made by a future, handed to an OperationExecutor, and done there: by io_uring, or by a thread that may wait. It
// owns every byte that the kernel may touch, and keeps alive what it works on, until complete() has been called: the
// future that waits for it can go away at any moment. What it brings then nobody wants: discard() releases it.
//
// Life: made -> submitted -> complete(), exactly once, on any thread. abandon(), at most once, before or after.
//
// Thread safety: poll() and abandon() belong to the future, complete() to the executor. The waker is woken, and
// discard() is called, with no lock held.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/waker.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace skua::reactor {

/// A request to io_uring: the fields of an SQE that our operations use, by the kernel's names.
struct Submission {
  std::uint8_t opcode = 0;
  int fd = -1;
  std::uint64_t off = 0;  // also addr2
  std::uint64_t addr = 0;
  std::uint32_t len = 0;
  std::uint32_t op_flags = 0;
};

class Operation : public RefCounted<Operation> {
 public:
  virtual ~Operation() = default;

  /// What io_uring is asked to do. None: it cannot; a thread does it. May be called again after a spurious
  /// cancellation.
  virtual std::optional<Submission> submission() noexcept { return std::nullopt; }
  /// The same, done by the calling thread, which may wait. >= 0 or -errno, as a CQE says it.
  virtual int perform() noexcept = 0;

  // The future
  /// Ready with what complete() was called with; else `waker` is woken when it is.
  Poll<int> poll(const Waker& waker);
  /// Nobody waits any more. True: it has not been completed, and is worth cancelling.
  bool abandon() noexcept;

  // The executor
  /// It has ended with `result`, >= 0 or -errno: nothing touches its memory any more.
  void complete(int result) noexcept;

  /// What the executor that has it keeps of it, under its own lock.
  struct Notes {
    std::uint64_t token = 0;
    int result = 0;
    bool is_cancelled = false;
    unsigned retries = 0;
  };
  Notes notes;

 protected:
  /// Nobody wants the result: releases what came with it, e.g. closes the descriptor that was opened.
  virtual void discard(int /*result*/) noexcept {}

 private:
  friend class OperationList;

  seam::Mutex mutex_;
  std::optional<int> result_ SKUA_GUARDED_BY(mutex_);
  bool taken_ SKUA_GUARDED_BY(mutex_) = false;  // the future has the result
  bool abandoned_ SKUA_GUARDED_BY(mutex_) = false;
  Waker waker_ SKUA_GUARDED_BY(mutex_);

  // The list it is in. Links are read and written under the lock that protects the list.
  seam::Atomic<class OperationList*> list_{nullptr};  // see OperationList::remove()
  Operation* next_ = nullptr;
  Operation* previous_ = nullptr;
};

/// Operations that wait for their turn, first in first out. Owns them. Links lie in the operations: no allocation.
class OperationList {
 public:
  OperationList() = default;
  ~OperationList();
  OperationList(const OperationList&) = delete;
  OperationList& operator=(const OperationList&) = delete;

  bool is_empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  void push(Ref<Operation> operation) noexcept;
  /// Null if there is none.
  Ref<Operation> pop() noexcept;
  /// Takes it out, wherever it is; null if it is not in this list. It may be in another one meanwhile, under another
  /// lock.
  Ref<Operation> remove(Operation& operation) noexcept;

 private:
  Operation* first_ = nullptr;
  Operation* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Does operations. Any thread.
class OperationExecutor : public RefCounted<OperationExecutor> {
 public:
  virtual ~OperationExecutor() = default;

  /// Takes care that `operation` is completed, perhaps before this returns. Returns who to ask for cancel().
  virtual OperationExecutor& submit(Ref<Operation> operation) noexcept = 0;
  /// Tries to end it sooner; it is completed in any case, with -ECANCELED or with what it did.
  virtual void cancel(Operation& operation) noexcept = 0;
  /// Ends what can be ended, waits for the rest; operations submitted later are completed with -ECANCELED. Requires
  /// that nobody turns the driver any more.
  virtual void shutdown() = 0;
  /// Operations that it has and that have not been completed; of a moment that has passed. Does not wait.
  virtual std::size_t unfinished() noexcept { return 0; }
};

}  // namespace skua::reactor
