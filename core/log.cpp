#include <skua/core/atomic.hpp>
#include <skua/core/log.hpp>

#include <cstdio>

namespace skua {

namespace {

void to_stderr(LogLevel level, std::string_view message) {
  if (level == LogLevel::info) return;
  std::fprintf(stderr, "skua: %s: %.*s\n", level == LogLevel::error ? "error" : "warning",
               static_cast<int>(message.size()), message.data());
}

seam::Atomic<LogSink> current_sink{&to_stderr};

}  // namespace

void set_log_sink(LogSink sink) noexcept {
  // relaxed: a function pointer publishes nothing but itself
  current_sink.store(sink != nullptr ? sink : &to_stderr, std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view message) noexcept {
  current_sink.load(std::memory_order_relaxed)(level, message);  // relaxed: as above
}

}  // namespace skua
