#include <skua/core/assert.hpp>
#include <skua/core/budget.hpp>
#include <skua/io/duplex.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace skua {

/// Wakers that are woken when the lock has been released. Usually there is one, and no allocation.
class WakeBatch {
 public:
  WakeBatch() = default;
  WakeBatch(const WakeBatch&) = delete;
  WakeBatch& operator=(const WakeBatch&) = delete;
  ~WakeBatch() {
    for (std::size_t i = 0; i < count_; ++i) std::move(few_[i]).wake();
    for (Waker& waker : more_) std::move(waker).wake();
  }
  void add(Waker waker) {
    if (count_ < few_.size()) {
      few_[count_++] = std::move(waker);
    } else {
      more_.push_back(std::move(waker));
    }
  }

 private:
  std::array<Waker, 2> few_;
  std::size_t count_ = 0;
  std::vector<Waker> more_;
};

MemoryPipe::Waiter::~Waiter() {
  if (listed_) pipe_.withdraw(*this);
}

MemoryPipe::MemoryPipe(std::size_t capacity)
    : capacity_(capacity), ring_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {
  if (capacity == 0) fail_fast("a stream in memory of capacity 0 can never be written to", "Give it at least 1 byte.");
}

Poll<Result<std::size_t>> MemoryPipe::read(Context& context, MutableBuffer buffer, Waiter& waiter) {
  if (!budget::take(context)) return pending;
  if (buffer.size() == 0) return Result<std::size_t>(0);
  WakeBatch woken;  // destroyed after the lock, as is what `old` holds
  Waker old;
  const seam::Lock lock(mutex_);
  if (size_ != 0) {
    const std::size_t count = pop(buffer);
    take_all(writers_, woken);
    return Result<std::size_t>(count);
  }
  if (writer_closed_ || reader_closed_) return Result<std::size_t>(0);
  enlist(readers_, waiter, context.waker(), old);
  budget::give_back();
  return pending;
}

Poll<Result<std::size_t>> MemoryPipe::write(Context& context, ConstBuffer buffer, Waiter& waiter) {
  if (!budget::take(context)) return pending;
  if (buffer.size() == 0) return Result<std::size_t>(0);
  WakeBatch woken;
  Waker old;
  const seam::Lock lock(mutex_);
  if (reader_closed_ || writer_closed_) return Result<std::size_t>(Error(std::errc::broken_pipe, "write"));
  if (size_ != capacity_) {
    const std::size_t count = push(buffer);
    take_all(readers_, woken);
    return Result<std::size_t>(count);
  }
  enlist(writers_, waiter, context.waker(), old);
  budget::give_back();
  return pending;
}

void MemoryPipe::close_writer() noexcept {
  WakeBatch woken;
  const seam::Lock lock(mutex_);
  writer_closed_ = true;
  take_all(readers_, woken);
  take_all(writers_, woken);
}

void MemoryPipe::close_reader() noexcept {
  WakeBatch woken;
  const seam::Lock lock(mutex_);
  reader_closed_ = true;
  size_ = 0;
  take_all(readers_, woken);
  take_all(writers_, woken);
}

std::size_t MemoryPipe::pop(MutableBuffer buffer) noexcept {
  const std::size_t count = std::min(size_, buffer.size());
  const std::size_t first = std::min(count, capacity_ - begin_);
  std::memcpy(buffer.data(), ring_.get() + begin_, first);
  std::memcpy(buffer.data() + first, ring_.get(), count - first);
  begin_ = count == size_ ? 0 : (begin_ + count) % capacity_;
  size_ -= count;
  return count;
}

std::size_t MemoryPipe::push(ConstBuffer buffer) noexcept {
  const std::size_t count = std::min(capacity_ - size_, buffer.size());
  const std::size_t end = (begin_ + size_) % capacity_;
  const std::size_t first = std::min(count, capacity_ - end);
  std::memcpy(ring_.get() + end, buffer.data(), first);
  std::memcpy(ring_.get(), buffer.data() + first, count - first);
  size_ += count;
  return count;
}

void MemoryPipe::enlist(List& list, Waiter& waiter, Waker waker, Waker& old) noexcept {
  if (!waiter.waker_.will_wake(waker)) old = std::exchange(waiter.waker_, std::move(waker));
  if (waiter.linked_) return;
  waiter.listed_ = waiter.linked_ = true;
  waiter.next_ = nullptr;
  waiter.previous_ = list.last;
  (list.last != nullptr ? list.last->next_ : list.first) = &waiter;
  list.last = &waiter;
}

void MemoryPipe::unlink(List& list, Waiter& waiter) noexcept {
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : list.first) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : list.last) = waiter.previous_;
  waiter.linked_ = false;
}

void MemoryPipe::take_all(List& list, WakeBatch& woken) {
  while (list.first != nullptr) {
    Waiter& waiter = *list.first;
    woken.add(std::move(waiter.waker_));
    unlink(list, waiter);
  }
}

void MemoryPipe::withdraw(Waiter& waiter) noexcept {
  const seam::Lock lock(mutex_);
  if (!waiter.linked_) return;
  // Never both lists hold somebody: readers wait for an empty ring, writers for a full one.
  unlink(readers_.first != nullptr ? readers_ : writers_, waiter);
}

std::pair<SimplexReader, SimplexWriter> simplex(std::size_t capacity) {
  auto pipe = make_ref<MemoryPipe>(capacity);
  return {SimplexReader(pipe), SimplexWriter(pipe)};
}

std::pair<DuplexStream, DuplexStream> duplex(std::size_t capacity) {
  auto [reads_left, writes_right] = simplex(capacity);
  auto [reads_right, writes_left] = simplex(capacity);
  return {DuplexStream(std::move(reads_left), std::move(writes_left)),
          DuplexStream(std::move(reads_right), std::move(writes_right))};
}

}  // namespace skua
