// {{name}} [ADDRESS]: answers HTTP requests at ADDRESS, 127.0.0.1:8080 if it is not given. `curl 127.0.0.1:8080/you`
//
// Options of the runtime (--workers 4, --print-config, ...) come from skua.toml, the environment and the command line.
// SIGTERM and ^C end it when the connections that it has are done.
#include "server.hpp"

#include <skua/config/load.hpp>
#include <skua/config/main.hpp>

#include <cstdio>

using namespace skua;

SKUA_MAIN(arguments) {
  if (arguments.size() > 1) co_return config::unknown_argument(arguments[1]);
  if (!arguments.empty() && arguments[0].starts_with("-")) co_return config::unknown_argument(arguments[0]);

  const auto text = arguments.empty() ? std::string_view("127.0.0.1:8080") : arguments[0];
  const SocketAddress address = co_await try_(SocketAddress::parse(text));
  TcpListener listener = co_await try_(TcpListener::bind(address));
  std::printf("listening on %s\n", (co_await try_(listener.local_address())).to_string().c_str());
  std::fflush(stdout);
  co_await try_(serve(std::move(listener), shutdown_signal()));
  co_return 0;
}
