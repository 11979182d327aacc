// The reaper: takes the status of children that nobody waits for any more, so that they do not stay as zombies.
// Private.
//
// An abandoned child's pidfd is watched by a driver, as for a task that waits; what is woken is not a task but an
// object that takes the status and deletes itself. Where no driver can watch (outside of a runtime, or after it was
// shut down) the child is put on a list, which is looked through whenever a child is started or abandoned. In either
// way there is one object for each child that still runs.
//
// Only pidfds are waited for, never "any child": the children of other code in the program keep their status.
//
// Thread safety: any thread.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/reactor/io_source.hpp>

namespace skua {

/// Takes over a child's pidfd, until the child has ended.
void reap_when_ended(Ref<reactor::IoSource> pidfd);

/// Looks for ended children on the list of those that no driver watches.
void reap_unwatched();

}  // namespace skua
