// Timeouts: how long a connection waits for its peer. All are active by default.
#pragma once

#include <chrono>

namespace http {

struct Timeouts {
  std::chrono::milliseconds idle = std::chrono::seconds(60);    // for the next request; then closed without a word
  std::chrono::milliseconds header = std::chrono::seconds(10);  // from a head's first bytes to its last; then 408
  std::chrono::milliseconds body = std::chrono::seconds(60);    // from the head to the end of the body; then 408
  std::chrono::milliseconds write = std::chrono::seconds(30);   // for the peer to take a byte of an answer
  std::chrono::milliseconds drain = std::chrono::seconds(1);    // for the peer to close after the last answer
};

}  // namespace http
