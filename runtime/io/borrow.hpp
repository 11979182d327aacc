// borrow(): lets an adaptor work on a reader or writer that somebody else owns.
//
//   Take head(borrow(stream), 100);    // reads the first 100 bytes of `stream`, which stays the caller's
#pragma once

#include <skua/io/concepts.hpp>

namespace skua {

/// Forwards to what it was made from, which must outlive it. Copies are the same borrower.
template <class S>
class Borrowed {
 public:
  explicit Borrowed(S& stream) noexcept : stream_(&stream) {}

  auto read(MutableBuffer buffer)
    requires AsyncRead<S>
  {
    return stream_->read(buffer);
  }
  auto write(ConstBuffer buffer)
    requires AsyncWrite<S>
  {
    return stream_->write(buffer);
  }
  auto flush()
    requires AsyncWrite<S>
  {
    return skua::flush(*stream_);
  }
  auto shutdown()
    requires AsyncWrite<S>
  {
    return skua::shutdown(*stream_);
  }
  auto buffered()
    requires AsyncBufRead<S>
  {
    return stream_->buffered();
  }
  auto fill()
    requires AsyncBufRead<S>
  {
    return stream_->fill();
  }
  void consume(std::size_t count)
    requires AsyncBufRead<S>
  {
    stream_->consume(count);
  }

 private:
  S* stream_;
};

template <class S>
  requires AsyncRead<S> || AsyncWrite<S>
Borrowed<S> borrow(S& stream) noexcept {
  return Borrowed<S>(stream);
}

}  // namespace skua
