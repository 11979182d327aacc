// Watchdog: ends the program if something takes too long, and says where every thread stands.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace skua::tests {

class Watchdog {
 public:
  /// `describe` says what is being done, should it come to that.
  Watchdog(std::chrono::seconds limit, std::function<std::string()> describe);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void run(std::chrono::seconds limit);

  std::function<std::string()> describe_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace skua::tests
