#include "doctor.hpp"
#include "io_uring_probe.hpp"
#include "io_uring_refusal.hpp"

#include <skua/core/kernel.hpp>
#include <skua/reactor/poller.hpp>

#include <cstring>
#include <string>

namespace skua::cli {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Asks the reactor itself, and explains its answer. True: it can use io_uring.
bool check_io_uring(Report& report, const Surroundings& here, const reactor::RingSizes& sizes) {
  const auto ring = reactor::make_ring_poller(sizes);
  const IoUringProbe probe = probe_io_uring();
  if (ring) {
    report.ok("io_uring", std::to_string(probe.operations) + " operations, " + joined(probe.present));
  } else if (probe.error == 0 && !probe.missing.empty()) {
    report.warn("io_uring", "lacks " + joined(probe.missing), "Linux 5.19 has all of it. Until then: epoll.");
  } else {
    const Refusal refusal = explain_refusal(ring.error().code().value(), here);
    report.warn("io_uring", std::string(ring.error().operation()) + ": " + refusal.reason, refusal.cure);
  }
  return ring.has_value();
}

// 0, or why the epoll back end cannot work.
int probe_epoll() {
  const int epoll = kernel::epoll_create();
  if (epoll < 0) return -epoll;
  epoll_event event{};
  const timespec at_once{};
  const int result = kernel::epoll_wait(epoll, &event, 1, &at_once);  // epoll_pwait2: nanoseconds
  kernel::close(epoll);
  return result < 0 ? -result : 0;
}

}  // namespace

void check_kernel(Report& report, const Options& options) {
  const Surroundings here = read_surroundings();
  report.ok("kernel", "Linux " + here.kernel_release);

  const bool io_uring = check_io_uring(
      report, here, reactor::RingSizes(options.submission_entries.value, options.completion_entries.value));
  const int epoll_error = probe_epoll();
  if (epoll_error == 0) report.ok("epoll", "epoll_pwait2 is there");
  if (epoll_error != 0) {
    report.warn("epoll", std::string("epoll_pwait2: ") + std::strerror(epoll_error), "Linux 5.11 brought it.");
  }

  const Backend wanted = options.backend.value;
  const bool automatic = wanted == Backend::automatic;
  if (io_uring && wanted != Backend::epoll) {
    report.ok("back end", automatic ? "auto chooses io_uring" : "io_uring, as chosen");
  } else if (wanted == Backend::io_uring) {
    report.fail("back end", "io_uring is required by " + options.backend.origin.describe() + ", and cannot be used",
                "With backend = auto the runtime would take epoll.");
  } else if (epoll_error == 0) {
    report.ok("back end", automatic ? "auto chooses epoll" : "epoll, as chosen");
  } else {
    report.fail("back end", "neither io_uring nor epoll can be used");
  }
}

}  // namespace skua::cli
