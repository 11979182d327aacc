// AnyReader and AnyWriter: a reader or writer whose type is not known: plain or TLS, a socket or a file.
//
//   AnyReader input = from_file ? AnyReader(std::move(file)) : AnyReader(std::move(stream));
//
// One allocation when it is made, none for an operation: the one that is pending lives beside the stream. Therefore one
// read, and one write, at a time; a second one ends the program. Cancel safety and threads: those of what is inside.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace skua {

/// What AnyReader and AnyWriter call. Whoever polls an operation destroys it by cancel() if it was not ready.
class ErasedReader {
 public:
  virtual ~ErasedReader() = default;
  virtual Poll<Result<std::size_t>> poll_read(Context& context, MutableBuffer buffer) = 0;
  virtual bool is_reading() const noexcept = 0;
  virtual void cancel_read() noexcept = 0;
};

class ErasedWriter {
 public:
  virtual ~ErasedWriter() = default;
  virtual Poll<Result<std::size_t>> poll_write(Context& context, ConstBuffer buffer) = 0;
  virtual Poll<Result<void>> poll_flush(Context& context) = 0;
  virtual Poll<Result<void>> poll_shutdown(Context& context) = 0;
  virtual bool is_writing() const noexcept = 0;
  virtual void cancel_write() noexcept = 0;
};

class AnyReader {
 public:
  template <class R>
    requires AsyncRead<R> && (!std::is_same_v<R, AnyReader>)
  explicit AnyReader(R reader) : erased_(std::make_unique<Holder<R>>(std::move(reader))) {}

  class [[nodiscard]] Read {
   public:
    Read(ErasedReader& reader, MutableBuffer buffer) noexcept : reader_(reader), buffer_(buffer) {}
    Read(Read&& other) noexcept : reader_(other.reader_), buffer_(other.buffer_) { SKUA_ASSERT(!other.pending_); }
    ~Read() {
      if (pending_) reader_.cancel_read();
    }
    Poll<Result<std::size_t>> poll(Context& context) {
      if (!pending_ && reader_.is_reading()) {
        fail_fast("two reads of one AnyReader at the same time", "Await or drop the first before the second.");
      }
      pending_ = true;
      auto result = reader_.poll_read(context, buffer_);
      pending_ = result.is_pending();
      return result;
    }

   private:
    ErasedReader& reader_;
    MutableBuffer buffer_;
    bool pending_ = false;
  };

  /// See AsyncRead.
  Read read(MutableBuffer buffer) noexcept { return Read(*erased_, buffer); }

 private:
  template <class R>
  class Holder final : public ErasedReader {
   public:
    explicit Holder(R reader) : reader_(std::move(reader)) {}
    Poll<Result<std::size_t>> poll_read(Context& context, MutableBuffer buffer) override {
      return step_.poll(context, [&] { return reader_.read(buffer); });
    }
    bool is_reading() const noexcept override { return step_.is_pending(); }
    void cancel_read() noexcept override { step_.cancel(); }

   private:
    R reader_;
    Step<ReadFuture<R>> step_;
  };

  std::unique_ptr<ErasedReader> erased_;
};

class AnyWriter {
 public:
  template <class W>
    requires AsyncWrite<W> && (!std::is_same_v<W, AnyWriter>)
  explicit AnyWriter(W writer) : erased_(std::make_unique<Holder<W>>(std::move(writer))) {}

  /// What an operation polls, once it is sure that it is the only one.
  template <class T, class Act>
  class [[nodiscard]] Operation {
   public:
    Operation(ErasedWriter& writer, Act act) noexcept : writer_(writer), act_(act) {}
    Operation(Operation&& other) noexcept : writer_(other.writer_), act_(other.act_) { SKUA_ASSERT(!other.pending_); }
    ~Operation() {
      if (pending_) writer_.cancel_write();
    }
    Poll<Result<T>> poll(Context& context) {
      if (!pending_ && writer_.is_writing()) {
        fail_fast("two writes of one AnyWriter at the same time", "Await or drop the first before the second.");
      }
      pending_ = true;
      auto result = act_(writer_, context);
      pending_ = result.is_pending();
      return result;
    }

   private:
    ErasedWriter& writer_;
    Act act_;
    bool pending_ = false;
  };

  /// See AsyncWrite.
  auto write(ConstBuffer buffer) noexcept {
    return operation<std::size_t>(
        [buffer](ErasedWriter& writer, Context& context) { return writer.poll_write(context, buffer); });
  }
  auto flush() noexcept {
    return operation<void>([](ErasedWriter& writer, Context& context) { return writer.poll_flush(context); });
  }
  auto shutdown() noexcept {
    return operation<void>([](ErasedWriter& writer, Context& context) { return writer.poll_shutdown(context); });
  }

 private:
  template <class T, class Act>
  Operation<T, Act> operation(Act act) noexcept {
    return Operation<T, Act>(*erased_, act);
  }

  template <class W>
  class Holder final : public ErasedWriter {
   public:
    explicit Holder(W writer) : writer_(std::move(writer)) {}
    Poll<Result<std::size_t>> poll_write(Context& context, ConstBuffer buffer) override {
      return write_.poll(context, [&] { return writer_.write(buffer); });
    }
    Poll<Result<void>> poll_flush(Context& context) override {
      return flush_.poll(context, [&] { return skua::flush(writer_); });
    }
    Poll<Result<void>> poll_shutdown(Context& context) override {
      return shutdown_.poll(context, [&] { return skua::shutdown(writer_); });
    }
    bool is_writing() const noexcept override {
      return write_.is_pending() || flush_.is_pending() || shutdown_.is_pending();
    }
    void cancel_write() noexcept override {
      write_.cancel();
      flush_.cancel();
      shutdown_.cancel();
    }

   private:
    W writer_;
    Step<WriteFuture<W>> write_;
    Step<FlushFuture<W>> flush_;
    Step<ShutdownFuture<W>> shutdown_;
  };

  std::unique_ptr<ErasedWriter> erased_;
};

}  // namespace skua
