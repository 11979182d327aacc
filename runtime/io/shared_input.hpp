// SharedInput: standard input where reading it may block a thread. Private.
//
// A read that a thread has begun cannot be cancelled, and takes bytes from the stream whether somebody still waits for
// them or not. So it reads into a buffer of the process, not into the caller's: what a dropped read has taken is there
// for the next one, in whatever task or runtime. At most one thread reads. It asks for no more than the caller wanted:
// what nobody asked for stays in the stream, for a child process that inherits it.
//
// Thread safety: any thread. Wakers are woken with no lock held.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace skua {

class SharedInput {
 public:
  static constexpr std::size_t most_at_once = 65536;

  /// The one of this process.
  static SharedInput& instance();

  /// What the last read of a thread has brought: bytes, the end (0, once), an error (once); none: nothing is left of
  /// it.
  std::optional<Result<std::size_t>> take(MutableBuffer into);

  /// The right to read, and the duty to say when it is over: also if the thread never came to it.
  class Filling {
   public:
    Filling(SharedInput& input, std::size_t size) noexcept : input_(&input), size_(size) {}
    Filling(Filling&& other) noexcept : input_(std::exchange(other.input_, nullptr)), size_(other.size_) {}
    Filling& operator=(Filling&&) = delete;
    ~Filling();
    /// Reads; may block.
    void operator()();

   private:
    SharedInput* input_;
    std::size_t size_;
  };
  /// None while another one is under way, or there is something to take.
  std::optional<Filling> begin(std::size_t size);

  /// Ready when no reading is under way. A future.
  class [[nodiscard]] Idle {
   public:
    explicit Idle(SharedInput& input) noexcept : input_(input) {}
    Poll<void> poll(Context& context) { return input_.poll_idle(context.waker()); }

   private:
    SharedInput& input_;
  };
  Idle idle() noexcept { return Idle(*this); }

 private:
  struct Bytes {
    std::array<char, most_at_once> data;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  Poll<void> poll_idle(const Waker& waker);
  void end_filling(std::optional<ssize_t> result);

  seam::Mutex mutex_;
  bool filling_ SKUA_GUARDED_BY(mutex_) = false;  // then its thread alone touches the bytes
  std::unique_ptr<Bytes> bytes_ SKUA_GUARDED_BY(mutex_);
  std::optional<ssize_t> end_ SKUA_GUARDED_BY(mutex_);  // 0, or -errno, to be told once
  std::vector<Waker> waiting_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace skua
