// http_server --port P --workers N --backend auto|io_uring|epoll --connections MAX
//
// An HTTP/1.1 server: GET /plaintext, GET /json, POST /echo. Runs until SIGTERM or SIGINT.
#include "http/acceptor.hpp"
#include "http/arguments.hpp"

#include <skua/config/load.hpp>
#include <skua/skua.hpp>

#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <string>
#include <utility>

namespace {

// Before there are threads: they inherit it, and only main takes the signals.
sigset_t block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Each connection is a descriptor; shells often allow 1024.
void allow_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// As it came to be, which "auto" does not say.
std::string describe(const skua::Runtime& runtime) {
  const skua::Handle handle = runtime.handle();
  const bool epoll = handle.options().backend.value == skua::Backend::epoll;
  return "workers " + std::to_string(handle.workers()) + ", backend " + (epoll ? "epoll" : "io_uring");
}

skua::Result<void> run(int argc, char** argv, const sigset_t& signals) {
  auto loaded = skua::config::load(argc, argv);
  if (!loaded) return loaded.error();
  auto arguments = http::parse_arguments(loaded->rest);
  if (!arguments) return arguments.error();

  // These outlive the runtime, whose destructor ends the tasks that use them.
  http::Service service;
  service.routes = http::example_routes();
  service.timeouts = arguments->timeouts;
  http::ConnectionLimit limit(arguments->connections);

  auto runtime = skua::Builder().options(loaded->options).build();
  if (!runtime) return runtime.error();
  auto address = skua::SocketAddress::parse("127.0.0.1:" + std::to_string(arguments->port));
  if (!address) return address.error();
  auto listener = skua::TcpListener::bind(*address);
  if (!listener) return listener.error();
  auto bound = listener->local_address();
  if (!bound) return bound.error();

  runtime->spawn(http::accept_connections(std::move(*listener), service, limit)).detach();
  std::cout << "listening on " << bound->to_string() << " (" << describe(*runtime) << ")" << std::endl;
  int signal = 0;
  ::sigwait(&signals, &signal);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t signals = block_signals();
  allow_descriptors();
  const auto result = run(argc, argv, signals);
  if (result) return 0;
  std::cerr << "http_server: " << result.error().message() << '\n';
  return 1;
}
