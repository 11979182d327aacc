// Tells what happens in a directory, as long as it is not told to stop.
//   inotify [directory]      without one, it watches a temporary directory in which it makes files itself
#include <skua/skua.hpp>

#include <sys/inotify.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin watch
class Watch {
 public:
  static Result<Watch> open(const std::string& directory) {
    OwnedFd fd(::inotify_init1(IN_CLOEXEC));
    if (!fd) return last_system_error("inotify_init1");
    if (::inotify_add_watch(fd.get(), directory.c_str(), IN_CREATE | IN_DELETE | IN_CLOSE_WRITE) < 0) {
      return last_system_error("watch", directory);
    }
    Result<AsyncFd> events = AsyncFd::adopt(std::move(fd));
    if (!events) return events.error();
    return Watch(*std::move(events));
  }

  /// The next event: what happened, and the name of the file. Cancel safe: read() is.
  Task<Result<std::string>> next() {
    if (at_ == end_) {
      end_ = co_await try_(events_.read(buffer_));
      at_ = 0;
    }
    const auto* event = reinterpret_cast<const inotify_event*>(buffer_.data() + at_);
    at_ += sizeof(inotify_event) + event->len;
    const char* what = "overflow";  // too many events came at once: some are lost
    if ((event->mask & IN_CREATE) != 0) what = "created";
    if ((event->mask & IN_CLOSE_WRITE) != 0) what = "written";
    if ((event->mask & IN_DELETE) != 0) what = "deleted";
    co_return std::string(what) + " " + (event->len > 0 ? event->name : "");
  }

 private:
  explicit Watch(AsyncFd events) : events_(std::move(events)) {}
  AsyncFd events_;
  alignas(inotify_event) std::array<char, 16384> buffer_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};
// docs:end

Task<Result<void>> print_events(std::string directory) {
  Watch watch = co_await try_(Watch::open(directory));
  for (;;) {
    const std::string event = co_await try_(watch.next());
    std::puts(event.c_str());
  }
}

Task<Result<void>> watch_what_happens(std::string directory) {
  Watch watch = co_await try_(Watch::open(directory));
  std::ofstream(directory + "/letter") << "hello";
  std::filesystem::remove(directory + "/letter");
  for (const char* expected : {"created letter", "written letter", "deleted letter"}) {
    const std::string event = co_await try_(timeout(10s, watch.next()));
    std::puts(event.c_str());
    if (event != expected) co_return Error(std::errc::protocol_error, "watch", std::string(expected) + " is missing");
  }
  co_return {};
}

int main(int argc, char** argv) {
  Runtime runtime;
  Result<void> result;
  if (argc > 1) {
    result = runtime.block_on(print_events(argv[1]));
  } else {
    std::string directory = (std::filesystem::temp_directory_path() / "inotify-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) return std::perror("mkdtemp"), 1;
    result = runtime.block_on(watch_what_happens(directory));
    std::filesystem::remove_all(directory);
  }
  if (!result) return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
  return 0;
}
