#include "io_uring_probe.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace skua::cli {

namespace {

// A ring for one scope.
class Ring {
 public:
  explicit Ring(unsigned flags) {
    io_uring_params parameters{};
    parameters.flags = flags;
    error_ = -::io_uring_queue_init_params(8, &ring_, &parameters);
    features_ = parameters.features;
  }
  ~Ring() {
    if (error_ == 0) ::io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int error() const { return error_; }
  bool has(unsigned feature) const { return (features_ & feature) != 0; }
  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
  int error_;
  unsigned features_;
};

// Arms an eventfd that is ready: the kernel must answer, and keep the poll armed.
bool multishot_poll_works(Ring& ring) {
  const int event = ::eventfd(1, EFD_CLOEXEC);
  if (event < 0) return false;
  io_uring_sqe* const submission = ::io_uring_get_sqe(ring.get());
  ::io_uring_prep_poll_multishot(submission, event, POLLIN);
  ::io_uring_submit(ring.get());
  __kernel_timespec patience{.tv_sec = 1, .tv_nsec = 0};
  io_uring_cqe* completion = nullptr;
  const bool works = ::io_uring_wait_cqe_timeout(ring.get(), &completion, &patience) == 0 &&
                     (completion->res & POLLIN) != 0 && (completion->flags & IORING_CQE_F_MORE) != 0;
  ::close(event);
  return works;
}

constexpr struct {
  int code;
  const char* name;
} operations_used[] = {{IORING_OP_POLL_ADD, "POLL_ADD"}, {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"}};

void probe_operations(IoUringProbe& result, Ring& ring) {
  io_uring_probe* const probe = ::io_uring_get_probe_ring(ring.get());
  if (probe == nullptr) {
    result.missing.emplace_back("PROBE");
    return;
  }
  result.operations = probe->last_op + 1;
  for (const auto& [code, name] : operations_used) {
    if (::io_uring_opcode_supported(probe, code) == 0) result.missing.emplace_back(name);
  }
  ::io_uring_free_probe(probe);
}

}  // namespace

IoUringProbe probe_io_uring() {
  IoUringProbe result;
  const auto require = [&result](const char* what, bool there) {
    (there ? result.present : result.missing).emplace_back(what);
  };
  Ring plain(0);
  result.error = plain.error();
  if (result.error != 0) return result;
  const Ring deferring(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
  require("DEFER_TASKRUN", deferring.error() == 0);
  require("EXT_ARG", plain.has(IORING_FEAT_EXT_ARG));
  require("NODROP", plain.has(IORING_FEAT_NODROP));
  require("CQE_SKIP", plain.has(IORING_FEAT_CQE_SKIP));
  require("multishot poll", multishot_poll_works(plain));
  probe_operations(result, plain);
  return result;
}

}  // namespace skua::cli
