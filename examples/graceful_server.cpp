// An echo server that ends in good order: at SIGTERM or ^C it takes no more clients, and serves those that it has until
// they have gone. A second ^C ends it at once.
//   graceful_server [address] [--workers N] [--backend epoll] ...      default 127.0.0.1:7000
#include <skua/config/main.hpp>
#include <skua/skua.hpp>

#include <array>
#include <cstdio>

using namespace skua;

void say(const std::string& what) {
  std::puts(what.c_str());
  std::fflush(stdout);
}

Task<Result<void>> echo(TcpStream stream) {
  std::array<char, 16384> buffer;
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}

// docs:begin serve
Task<Result<void>> serve(TcpListener listener, TaskTracker& clients) {
  for (;;) {
    auto accepted = co_await run_until_cancelled(shutdown_signal(), listener.accept());
    if (!accepted) co_return {};  // told to end: the listener goes with this task
    Accepted client = co_await try_(*std::move(accepted));
    clients.spawn(echo(std::move(client.stream))).detach();
  }
}
// docs:end

// docs:begin main
SKUA_MAIN(arguments) {
  const SocketAddress address =
      co_await try_(SocketAddress::parse(arguments.empty() ? "127.0.0.1:7000" : arguments[0]));
  TcpListener listener = co_await try_(TcpListener::bind(address));
  say("listening on " + (co_await try_(listener.local_address())).to_string());

  TaskTracker clients;
  co_await try_(serve(std::move(listener), clients));
  say("finishing");
  clients.close();
  co_await clients.wait();
  say("done");
  co_return 0;
}
// docs:end
