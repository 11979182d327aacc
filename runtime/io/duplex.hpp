// duplex() and simplex(): streams in memory, with back-pressure: two tasks talk, or a test plays the network.
//
//   auto [client, server] = duplex(64 * 1024);     // each way holds up to 64 KiB, then writers wait
//   auto [reader, writer] = simplex(4096);         // one way
//
// They end as a socket does: what reads gets all that was written before its writer was dropped or shut down, then 0;
// what writes after the reader is gone gets std::errc::broken_pipe.
//
// Threads: the ends belong to different tasks on any threads, under any executor. One end's read and write may be used
// by two threads at once; several readers of one end share the bytes, several writers' pieces do not mix.
// Ownership: the ends share the buffers. Cancel safety: a pending operation has moved nothing; wakers are called with
// no lock held, and all who wait are woken, so one that is dropped has nothing to hand on.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace skua {

class WakeBatch;

/// One direction: a ring of bytes, those who wait for some, and those who wait for room.
class MemoryPipe : public RefCounted<MemoryPipe> {
 public:
  /// `capacity` of 0 ends the program: nothing could ever be written.
  explicit MemoryPipe(std::size_t capacity);

  /// A place in the list of those who wait. Lives in the pending operation; leaves the list when it is destroyed.
  class Waiter {
   public:
    explicit Waiter(MemoryPipe& pipe) noexcept : pipe_(pipe) {}
    /// Before the first wait.
    Waiter(Waiter&& other) noexcept : pipe_(other.pipe_) { SKUA_ASSERT(!other.listed_); }
    ~Waiter();

   private:
    friend class MemoryPipe;
    MemoryPipe& pipe_;
    bool listed_ = false;  // whether the pipe has ever seen it: by the operation's thread alone
    // Guarded by the pipe's mutex_
    bool linked_ = false;
    Waker waker_;
    Waiter* next_ = nullptr;
    Waiter* previous_ = nullptr;
  };

  Poll<Result<std::size_t>> read(Context& context, MutableBuffer buffer, Waiter& waiter);
  Poll<Result<std::size_t>> write(Context& context, ConstBuffer buffer, Waiter& waiter);
  /// No more is written: readers get what is there, then the end.
  void close_writer() noexcept;
  /// Nobody reads any more: what is there is dropped, writers get an error.
  void close_reader() noexcept;

 private:
  struct List {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };
  std::size_t pop(MutableBuffer buffer) noexcept SKUA_REQUIRES(mutex_);
  std::size_t push(ConstBuffer buffer) noexcept SKUA_REQUIRES(mutex_);
  void enlist(List& list, Waiter& waiter, Waker waker, Waker& old) noexcept SKUA_REQUIRES(mutex_);
  void unlink(List& list, Waiter& waiter) noexcept SKUA_REQUIRES(mutex_);
  void take_all(List& list, WakeBatch& woken) SKUA_REQUIRES(mutex_);
  void withdraw(Waiter& waiter) noexcept;

  const std::size_t capacity_;
  const std::unique_ptr<std::byte[]> ring_;
  seam::Mutex mutex_;
  std::size_t begin_ SKUA_GUARDED_BY(mutex_) = 0;  // where the oldest byte is
  std::size_t size_ SKUA_GUARDED_BY(mutex_) = 0;
  bool writer_closed_ SKUA_GUARDED_BY(mutex_) = false;
  bool reader_closed_ SKUA_GUARDED_BY(mutex_) = false;
  List readers_ SKUA_GUARDED_BY(mutex_);  // not empty only while size_ is 0
  List writers_ SKUA_GUARDED_BY(mutex_);  // not empty only while the ring is full
};

class [[nodiscard]] MemoryRead {
 public:
  MemoryRead(MemoryPipe& pipe, MutableBuffer buffer) noexcept : pipe_(pipe), buffer_(buffer), waiter_(pipe) {}
  Poll<Result<std::size_t>> poll(Context& context) { return pipe_.read(context, buffer_, waiter_); }

 private:
  MemoryPipe& pipe_;
  MutableBuffer buffer_;
  MemoryPipe::Waiter waiter_;
};

class [[nodiscard]] MemoryWrite {
 public:
  MemoryWrite(MemoryPipe& pipe, ConstBuffer buffer) noexcept : pipe_(pipe), buffer_(buffer), waiter_(pipe) {}
  Poll<Result<std::size_t>> poll(Context& context) { return pipe_.write(context, buffer_, waiter_); }

 private:
  MemoryPipe& pipe_;
  ConstBuffer buffer_;
  MemoryPipe::Waiter waiter_;
};

/// The end of a simplex() that reads. Dropping it makes writes fail.
class SimplexReader {
 public:
  explicit SimplexReader(Ref<MemoryPipe> pipe) noexcept : pipe_(std::move(pipe)) {}
  SimplexReader(SimplexReader&&) noexcept = default;
  SimplexReader& operator=(SimplexReader&&) = delete;
  ~SimplexReader() {
    if (pipe_) pipe_->close_reader();
  }
  /// See AsyncRead. Errors: none.
  MemoryRead read(MutableBuffer buffer) noexcept { return {*pipe_, buffer}; }

 private:
  Ref<MemoryPipe> pipe_;
};

/// The end of a simplex() that writes. Dropping it ends the stream.
class SimplexWriter {
 public:
  explicit SimplexWriter(Ref<MemoryPipe> pipe) noexcept : pipe_(std::move(pipe)) {}
  SimplexWriter(SimplexWriter&&) noexcept = default;
  SimplexWriter& operator=(SimplexWriter&&) = delete;
  ~SimplexWriter() {
    if (pipe_) pipe_->close_writer();
  }
  /// See AsyncWrite. Errors: broken_pipe when the reader is gone, and after a shutdown().
  MemoryWrite write(ConstBuffer buffer) noexcept { return {*pipe_, buffer}; }
  /// Ends the stream, at once.
  Result<void> shutdown() noexcept {
    pipe_->close_writer();
    return {};
  }

 private:
  Ref<MemoryPipe> pipe_;
};

/// One end of a duplex().
class DuplexStream {
 public:
  DuplexStream(SimplexReader reader, SimplexWriter writer) noexcept
      : reader_(std::move(reader)), writer_(std::move(writer)) {}

  /// As SimplexReader and SimplexWriter.
  MemoryRead read(MutableBuffer buffer) noexcept { return reader_.read(buffer); }
  MemoryWrite write(ConstBuffer buffer) noexcept { return writer_.write(buffer); }
  Result<void> shutdown() noexcept { return writer_.shutdown(); }

  /// The two directions, each owned.
  std::pair<SimplexReader, SimplexWriter> into_split() && noexcept { return {std::move(reader_), std::move(writer_)}; }

 private:
  SimplexReader reader_;
  SimplexWriter writer_;
};

/// A stream one way that holds up to `capacity` bytes, at least 1.
std::pair<SimplexReader, SimplexWriter> simplex(std::size_t capacity);

/// Two ends that are connected, each way with a buffer of `capacity` bytes, at least 1.
std::pair<DuplexStream, DuplexStream> duplex(std::size_t capacity);

}  // namespace skua
