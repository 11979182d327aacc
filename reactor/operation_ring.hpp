// The executor that does operations by io_uring: one ring for each driver, apart from the ring of its poller.
//
// Why another ring: the poller's belongs to its owner alone (DEFER_TASKRUN), and while the owner is stuck in user code
// nothing comes out of it. This one is plain: any thread submits and reaps, under a lock, and the kernel completes what
// is done whoever is busy. Its descriptor is watched by the driver like any other: when completions wait in it, whoever
// turns the driver (the owner; for a stuck owner the reactor thread) reaps them. What is done at once, as much is, is
// reaped by who submitted it, without any event.
//
// An operation's slot in the table keeps it alive until the final CQE. `user_data` is slot and generation.
//
// Normal events:
//   more operations than the completion queue has room for   they wait in a list: the queue does not overflow by them
//   the kernel takes no submission (EAGAIN, EBUSY, ENOMEM)   tried again within a millisecond, and by each completion
//   it refuses (EPERM: a filter), or has no such operation   a thread of the pool does it
//   cancelled or interrupted though nobody asked for it      submitted again: its submitter's thread has ended
//   a write beyond RLIMIT_FSIZE                              EFBIG, without the signal that ends programs
#pragma once

#include <skua/reactor/operation.hpp>

namespace skua::reactor {

class Driver;

struct OperationRingOptions {
  OperationRingOptions() = default;
  unsigned submission_entries = 64;
  unsigned completion_entries = 512;  // and the most that are in flight
  unsigned most_threads = 32;  // of the kernel, for each thread that submits: what cannot be done without waiting
};

/// The ring is set up by the first operation, on whatever thread that is submitted, and watched by `driver`, which must
/// live until shutdown(). `threads` does what the ring cannot, and everything if the kernel refuses the ring (logged,
/// once in a process).
Ref<OperationExecutor> make_operation_ring(const OperationRingOptions& options, Ref<OperationExecutor> threads,
                                           Driver& driver);

}  // namespace skua::reactor
