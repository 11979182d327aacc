// Tasks by the place where they were spawned: counted when somebody asks, not when they are spawned. Private.
#pragma once

#include <skua/metrics.hpp>

#include <vector>

namespace skua {

namespace scheduler {
class Scheduler;
}

/// See Handle::spawn_sites().
std::vector<SpawnSite> count_by_spawn_site(scheduler::Scheduler& scheduler);

}  // namespace skua
