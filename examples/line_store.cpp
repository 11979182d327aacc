// A store of values that one talks to in lines of text.
//   line_store [address]      default 127.0.0.1:7001; try `nc 127.0.0.1 7001`: SET name value, GET name, QUIT
#include <skua/skua.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

using namespace skua;

class Store {
 public:
  std::string answer(std::string_view line) {
    const std::size_t after_command = line.find(' ');
    const std::string_view command = line.substr(0, after_command);
    const std::string_view rest = after_command == line.npos ? "" : line.substr(after_command + 1);
    const std::size_t after_name = rest.find(' ');
    const std::lock_guard lock(mutex_);  // not held over a co_await
    if (command == "SET" && after_name != rest.npos) {
      values_.insert_or_assign(std::string(rest.substr(0, after_name)), rest.substr(after_name + 1));
      return "OK";
    }
    if (command == "GET") {
      const auto found = values_.find(rest);
      return found == values_.end() ? "NONE" : "VALUE " + found->second;
    }
    return "ERROR unknown command";
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_;
};

// docs:begin framed
Task<Result<void>> serve_client(TcpStream stream, std::shared_ptr<Store> store) {
  Framed lines(std::move(stream), LinesCodec(1024));
  for (;;) {
    const auto line = co_await lines.next();
    if (!line && line.error() == std::errc::message_size) {
      co_await try_(lines.send("ERROR line too long"));  // the codec has skipped it and is in step again
    } else if (!line) {
      co_return line.error();  // the connection broke
    } else if (!*line || **line == "QUIT") {
      co_return {};
    } else {
      co_await try_(lines.send(store->answer(**line)));
    }
  }
}
// docs:end

Task<Result<void>> serve(SocketAddress address) {
  TcpListener listener = co_await try_(TcpListener::bind(address));
  std::printf("listening on %s\n", (co_await try_(listener.local_address())).to_string().c_str());
  std::fflush(stdout);
  const auto store = std::make_shared<Store>();
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    spawn(serve_client(std::move(accepted.stream), store)).detach();
  }
}

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:7001");
  if (!address) return std::fprintf(stderr, "%s\n", address.error().message().c_str()), 2;
  Runtime runtime;
  const Result<void> result = runtime.block_on(runtime.spawn(serve(*address))).value();
  return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
}
