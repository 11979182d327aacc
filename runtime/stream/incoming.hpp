// incoming(listener): the connections that a listener accepts.
//
//   co_await (stream::incoming(listener) | stream::for_each_concurrent(1000, serve));
#pragma once

#include <skua/stream/repeat.hpp>

namespace skua::stream {

template <class Listener>
class AcceptNext {
 public:
  explicit AcceptNext(Listener& listener) noexcept : listener_(&listener) {}
  auto operator()() const noexcept { return listener_->accept(); }

 private:
  Listener* listener_;
};

/// What one `listener.accept()` after the other gives, without end: Results, with the same errors. Borrows the
/// listener. Cancel safety: no connection is lost.
template <class Listener>
auto incoming(Listener& listener) noexcept {
  return Repeat<AcceptNext<Listener>>(AcceptNext<Listener>(listener));
}

}  // namespace skua::stream
