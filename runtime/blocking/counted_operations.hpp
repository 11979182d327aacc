// CountedOperations: operations as activities of a timekeeper: virtual time does not pass before they have ended.
// Private.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/core/timekeeper.hpp>
#include <skua/reactor/operation.hpp>

namespace skua {

/// Has them done by `executor`.
Ref<reactor::OperationExecutor> make_counted_operations(Ref<reactor::OperationExecutor> executor,
                                                        Ref<Timekeeper> keeper);

}  // namespace skua
