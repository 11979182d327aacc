#include <skua/blocking/unblock.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/try.hpp>
#include <skua/io/fd_calls.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/ready_guard.hpp>
#include <skua/io/shared_input.hpp>
#include <skua/io/sigpipe.hpp>
#include <skua/io/standard_streams.hpp>
#include <skua/sync/mutex.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace skua {

namespace {

/// recv() and send() on a socket that is not ours to make non-blocking.
struct DontWaitReadCall : FdReadCall {
  using FdReadCall::FdReadCall;
  ssize_t attempt(int fd) const noexcept { return kernel::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT); }
};
struct DontWaitWriteCall : FdWriteCall {
  explicit DontWaitWriteCall(ConstBuffer from) noexcept : FdWriteCall(from, RaisesSigpipe::no) {}
  ssize_t attempt(int fd) const noexcept {
    return kernel::send(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
};

/// A write for the blocking pool, which owns its bytes: the task that wanted it may be gone.
class SharedWrite {
 public:
  SharedWrite(StandardStream stream, ConstBuffer bytes)
      : number_(static_cast<int>(stream)), bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}
  ssize_t operator()() const noexcept { return write_without_sigpipe(number_, bytes_); }

 private:
  int number_;
  std::string bytes_;
};

constexpr std::size_t most_to_copy = 65536;

/// Who writes to a stream of this process. Never destroyed: tasks may outlive main().
Mutex<>& turns_of(StandardStream stream) {
  static auto* const turns = new std::array<Mutex<>, 3>;
  return (*turns)[static_cast<std::size_t>(stream)];
}

template <class T>
Result<T> named(Result<T> result, StandardStream stream, const char* operation) {
  if (result) return result;
  return error_of(stream, result.error(), operation);
}

}  // namespace

StandardEnd::StandardEnd(StandardStream stream, StandardDescriptor descriptor)
    : stream_(stream),
      kind_(descriptor.kind()),
      is_pollable_(descriptor.is_pollable()),
      source_(make_ref<reactor::IoSource>(std::move(descriptor).take().release())) {}

Task<Result<void>> StandardEnd::until_ready(reactor::Direction direction) const {
  while (is_pollable_) {
    ReadyGuard guard = co_await try_(ReadyFuture(source(), direction));
    if (guard.recheck()) break;
  }
  co_return {};
}

Result<StandardInput> StandardInput::open() {
  auto descriptor = StandardDescriptor::open(StandardStream::input);
  if (!descriptor) return std::move(descriptor).error();
  return StandardInput(StandardStream::input, *std::move(descriptor));
}

Task<Result<std::size_t>> StandardInput::read(MutableBuffer buffer) {
  switch (kind()) {
    case StandardDescriptor::Kind::own:
      co_return named(co_await IoOperation<FdReadCall>(source(), FdReadCall(buffer)), stream(), "read");
    case StandardDescriptor::Kind::socket:
      co_return named(co_await IoOperation<DontWaitReadCall>(source(), DontWaitReadCall(buffer)), stream(), "read");
    case StandardDescriptor::Kind::shared: co_return co_await read_shared(buffer);
  }
  co_return std::size_t{0};
}

Task<Result<std::size_t>> StandardInput::read_shared(MutableBuffer buffer) {
  if (buffer.size() == 0) co_return std::size_t{0};
  SharedInput& input = SharedInput::instance();
  for (;;) {
    if (auto taken = input.take(buffer)) co_return *std::move(taken);
    co_await try_(until_ready(reactor::Direction::read));
    if (auto filling = input.begin(buffer.size())) {
      auto reading = unblock(*std::move(filling));
      co_await try_(reading);
    } else {
      co_await input.idle();
    }
  }
}

Result<StandardOutput> StandardOutput::open(StandardStream stream) {
  auto descriptor = StandardDescriptor::open(stream);
  if (!descriptor) return std::move(descriptor).error();
  return StandardOutput(stream, *std::move(descriptor));
}
Result<StandardOutput> StandardOutput::open() { return open(StandardStream::output); }
Result<StandardOutput> StandardOutput::open_error() { return open(StandardStream::error); }

Task<Result<std::size_t>> StandardOutput::write(ConstBuffer buffer) {
  const auto turn = co_await turns_of(stream()).lock();
  co_return named(co_await write_now(buffer), stream(), "write");
}

Task<Result<void>> StandardOutput::write_all(ConstBuffer buffer) {
  const auto turn = co_await turns_of(stream()).lock();
  for (ConstBuffer rest = buffer; rest.size() != 0;) {
    const Result<std::size_t> count = co_await write_now(rest);
    if (!count) co_return error_of(stream(), count.error(), "write");
    rest = rest.after(*count);
  }
  co_return {};
}

Task<Result<std::size_t>> StandardOutput::write_now(ConstBuffer buffer) {
  switch (kind()) {
    case StandardDescriptor::Kind::own:
      co_return co_await IoOperation<FdWriteCall>(source(), FdWriteCall(buffer, RaisesSigpipe::yes));
    case StandardDescriptor::Kind::socket:
      co_return co_await IoOperation<DontWaitWriteCall>(source(), DontWaitWriteCall(buffer));
    case StandardDescriptor::Kind::shared: co_return co_await write_shared(buffer);
  }
  co_return std::size_t{0};
}

Task<Result<std::size_t>> StandardOutput::write_shared(ConstBuffer buffer) {
  if (buffer.size() == 0) co_return std::size_t{0};
  co_await try_(until_ready(reactor::Direction::write));
  SharedWrite write(stream(), ConstBuffer(buffer.data(), std::min(buffer.size(), most_to_copy)));
  auto writing = unblock(std::move(write));
  const ssize_t count = co_await try_(writing);
  if (count < 0) co_return system_error(static_cast<int>(-count), "write");
  if (count == 0) co_return Error(std::errc::io_error, "write");  // or write_all() would ask for ever
  co_return static_cast<std::size_t>(count);
}

}  // namespace skua
