#include <skua/core/kernel.hpp>
#include <skua/io/shared_input.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace skua {

// Never destroyed: a thread may still be reading when the program ends.
SharedInput& SharedInput::instance() {
  static SharedInput* const input = new SharedInput;
  return *input;
}

std::optional<Result<std::size_t>> SharedInput::take(MutableBuffer into) {
  const seam::Lock lock(mutex_);
  if (filling_) return std::nullopt;
  if (bytes_ && bytes_->begin < bytes_->end) {
    const std::size_t count = std::min(into.size(), bytes_->end - bytes_->begin);
    std::memcpy(into.data(), bytes_->data.data() + bytes_->begin, count);
    bytes_->begin += count;
    return count;
  }
  const std::optional<ssize_t> end = std::exchange(end_, std::nullopt);
  if (!end) return std::nullopt;
  if (*end < 0) return system_error(static_cast<int>(-*end), "read", "standard input");
  return std::size_t{0};
}

std::optional<SharedInput::Filling> SharedInput::begin(std::size_t size) {
  const seam::Lock lock(mutex_);
  if (filling_ || end_ || (bytes_ && bytes_->begin < bytes_->end)) return std::nullopt;
  if (!bytes_) bytes_ = std::make_unique<Bytes>();
  filling_ = true;
  return Filling(*this, std::min(size, most_at_once));
}

// Not under the lock: nobody else touches the bytes while filling_ is set.
void SharedInput::Filling::operator()() SKUA_THREAD_ANNOTATION(no_thread_safety_analysis) {
  const ssize_t result = kernel::read(0, input_->bytes_->data.data(), size_);
  std::exchange(input_, nullptr)->end_filling(result);
}

SharedInput::Filling::~Filling() {
  if (input_ != nullptr) input_->end_filling(std::nullopt);
}

void SharedInput::end_filling(std::optional<ssize_t> result) {
  std::vector<Waker> woken;
  {
    const seam::Lock lock(mutex_);
    filling_ = false;
    if (result) {
      bytes_->begin = 0;
      bytes_->end = static_cast<std::size_t>(std::max<ssize_t>(*result, 0));
      if (*result <= 0) end_ = *result;
    }
    woken.swap(waiting_);
  }
  for (Waker& waker : woken) std::move(waker).wake();
}

Poll<void> SharedInput::poll_idle(const Waker& waker) {
  const seam::Lock lock(mutex_);
  if (!filling_) return ready;
  const auto same = [&](const Waker& other) { return other.will_wake(waker); };
  if (std::none_of(waiting_.begin(), waiting_.end(), same)) waiting_.push_back(waker);
  return pending;
}

}  // namespace skua
