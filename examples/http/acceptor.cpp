#include "http/acceptor.hpp"

#include <chrono>
#include <iostream>
#include <system_error>
#include <utility>

namespace http {
namespace {

skua::Task<> serve_admitted(skua::TcpStream stream, const Service& service, ConnectionLimit::Permit) {
  co_await serve_connection(std::move(stream), service);
}

// Out of descriptors or memory, most likely: to try again at once would only make it worse.
skua::Task<> recover(skua::Error error) {
  if (error == std::errc::connection_aborted) co_return;
  std::cerr << "http_server: " << error.message() << '\n';
  co_await skua::sleep(std::chrono::milliseconds(100));
}

}  // namespace

skua::Task<> accept_connections(skua::TcpListener listener, const Service& service, ConnectionLimit& limit) {
  for (;;) {
    ConnectionLimit::Permit permit = co_await limit.acquire();
    auto accepted = co_await listener.accept();
    if (accepted) {
      std::ignore = accepted->stream.set_nodelay(true);  // answers are whole when they are written
      skua::spawn(serve_admitted(std::move(accepted->stream), service, std::move(permit))).detach();
    } else {
      co_await recover(accepted.error());
    }
  }
}

}  // namespace http
