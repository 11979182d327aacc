// split() and into_split(): the two directions of a stream, for two branches of a join(), or for two tasks.
//
//   auto [reader, writer] = split(stream);                       // borrowed, one task
//   auto [reader, writer] = into_split(std::move(stream));       // owned, two tasks
//   Stream whole = co_await try_(reunite(std::move(reader), std::move(writer)));
//
// A stream with halves of its own (TcpStream, DuplexStream) gives those. For any other, into_split() keeps it in shared
// memory under a mutex: each poll of a half holds it, so the stream itself need know nothing of threads. Its waker must
// not poll the task inside of wake(); none of Skua's does. Cancel safety: that of the stream's operations.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/io/borrow.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <type_traits>
#include <utility>

namespace skua {

/// A stream that two halves own. The operations of both are polled and destroyed under its mutex.
template <AsyncStream S>
struct SharedStream : RefCounted<SharedStream<S>> {
  explicit SharedStream(S whole) : stream(std::move(whole)) {}
  seam::Mutex mutex;
  S stream;
};

/// An operation of a half: what `make(stream)` returns, made when it is first polled.
template <AsyncStream S, class Make>
class [[nodiscard]] SharedOperation {
 public:
  using Inner = std::invoke_result_t<Make&, S&>;

  SharedOperation(SharedStream<S>& shared, Make make) noexcept : shared_(shared), make_(make) {}
  SharedOperation(SharedOperation&&) noexcept = default;
  ~SharedOperation() {
    if (!step_.is_pending()) return;
    const seam::Lock lock(shared_.mutex);
    step_.cancel();
  }
  Poll<Output<Inner>> poll(Context& context) {
    const seam::Lock lock(shared_.mutex);
    return step_.poll(context, [&] { return make_(shared_.stream); });
  }

 private:
  SharedStream<S>& shared_;
  Make make_;
  Step<Inner> step_;
};

template <AsyncStream S>
class SplitReader {
 public:
  explicit SplitReader(Ref<SharedStream<S>> shared) noexcept : shared_(std::move(shared)) {}
  auto read(MutableBuffer buffer) noexcept {
    return SharedOperation(*shared_, [buffer](S& stream) { return stream.read(buffer); });
  }
  Ref<SharedStream<S>> into_shared() && noexcept { return std::move(shared_); }

 private:
  Ref<SharedStream<S>> shared_;
};

/// Dropping it does not end what it writes: the stream closes with the last half. Call shutdown() to end it before.
template <AsyncStream S>
class SplitWriter {
 public:
  explicit SplitWriter(Ref<SharedStream<S>> shared) noexcept : shared_(std::move(shared)) {}
  auto write(ConstBuffer buffer) noexcept {
    return SharedOperation(*shared_, [buffer](S& stream) { return stream.write(buffer); });
  }
  auto flush() noexcept {
    return SharedOperation(*shared_, [](S& stream) { return skua::flush(stream); });
  }
  auto shutdown() noexcept {
    return SharedOperation(*shared_, [](S& stream) { return skua::shutdown(stream); });
  }
  Ref<SharedStream<S>> into_shared() && noexcept { return std::move(shared_); }

 private:
  Ref<SharedStream<S>> shared_;
};

/// The two directions, borrowed: the stream outlives them.
template <AsyncStream S>
auto split(S& stream) noexcept {
  if constexpr (requires { stream.split(); }) {
    return stream.split();
  } else {
    return std::pair(Borrowed<S>(stream), Borrowed<S>(stream));
  }
}

/// The two directions, owned: each may go to a task of its own.
template <AsyncStream S>
auto into_split(S stream) {
  if constexpr (requires { std::move(stream).into_split(); }) {
    return std::move(stream).into_split();
  } else {
    auto shared = make_ref<SharedStream<S>>(std::move(stream));
    return std::pair(SplitReader<S>(shared), SplitWriter<S>(shared));
  }
}

/// The stream again. Error: invalid_argument if the halves come from different streams, which are then closed. No
/// operation of either may be pending.
template <AsyncStream S>
Result<S> reunite(SplitReader<S> reader, SplitWriter<S> writer) {
  const auto one = std::move(reader).into_shared();
  const auto other = std::move(writer).into_shared();
  if (one.get() != other.get()) {
    return Error(std::errc::invalid_argument, "reunite", "halves of two different streams");
  }
  return std::move(one->stream);
}

/// Of the halves that a stream has of its own: as its reunite().
template <template <class> class Reader, template <class> class Writer, class S>
  requires requires(Reader<S> reader, Writer<S> writer) { S::reunite(std::move(reader), std::move(writer)); }
Result<S> reunite(Reader<S>&& reader, Writer<S>&& writer) {
  return S::reunite(std::move(reader), std::move(writer));
}

}  // namespace skua
