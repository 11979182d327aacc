// A server that opens files for its clients: over a Unix socket it checks who asks, and passes the open descriptor.
#include <skua/skua.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

using namespace skua;

// docs:begin listen
Result<UnixListener> listen_at(const std::string& path) {
  const Result<UnixAddress> address = UnixAddress::path(path);  // at most 107 bytes
  if (!address) return address.error();
  UnixListenOptions options;
  options.unlink_on_drop = true;
  return UnixListener::bind(*address, options);
}
// docs:end

// docs:begin serve
Task<Result<void>> serve_one(UnixListener& listener) {
  UnixStream client = co_await try_(listener.accept());
  const UnixCredentials who = co_await try_(client.peer_credentials());
  if (who.uid != ::getuid()) co_return Error(std::errc::permission_denied, "serve");
  std::array<char, 256> name;
  const std::size_t size = co_await try_(client.read(name));
  const OwnedFd file(::open(std::string(name.data(), size).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    co_await try_(client.write_all("-"));
    co_return {};
  }
  const std::array<int, 1> descriptors{file.get()};
  co_await try_(client.send_with_descriptors("+", descriptors));  // travels with the byte
  co_return {};
}
// docs:end

// docs:begin ask
Task<Result<OwnedFd>> ask_for(UnixAddress server, std::string name) {
  UnixStream stream = co_await try_(UnixStream::connect(server));
  co_await try_(stream.write_all(name));
  std::array<char, 1> answer;
  ReceivedDescriptors received = co_await try_(stream.receive_with_descriptors(answer, 1));
  if (received.descriptors.empty()) co_return Error(std::errc::no_such_file_or_directory, "ask for", name);
  co_return std::move(received.descriptors.front());
}
// docs:end

Task<Result<std::string>> demonstrate(std::string path) {
  UnixListener listener = co_await try_(listen_at(path));
  auto server = serve_one(listener);
  auto client = ask_for(co_await try_(listener.local_address()), "/proc/self/comm");
  auto [served, file] = co_await join(std::move(server), std::move(client));
  if (!served) co_return served.error();
  if (!file) co_return file.error();
  std::array<char, 64> text{};
  const ssize_t size = ::read(file->get(), text.data(), text.size());
  co_return std::string(text.data(), static_cast<std::size_t>(size > 0 ? size : 0));
}

int main() {
  const std::string path = (std::filesystem::temp_directory_path() / ("skua-" + std::to_string(::getpid()))).string();
  Runtime runtime;
  const Result<std::string> text = runtime.block_on(demonstrate(path));
  if (!text) return std::fprintf(stderr, "%s\n", text.error().message().c_str()), 1;
  std::printf("a file that another opened says: %s", text->c_str());
  const bool is_gone = !std::filesystem::exists(path);
  return text->empty() || !is_gone ? 1 : 0;
}
