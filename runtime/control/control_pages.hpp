// The pages of the control endpoint: what each says of a runtime. Private.
//
// Everything is read from outside: counters, and tasks one by one (Scheduler::snapshots()). No page waits for a worker,
// so each answers when all of them are stuck.
#pragma once

#include <skua/control/http.hpp>

namespace skua {

class RuntimeCore;

/// Answers a request that may be answered. `is_ending`: the runtime is about to be shut down.
HttpResponse answer(const HttpRequest& request, RuntimeCore& core, bool is_ending);

/// An answer to a request that could not be read, or may not be answered.
HttpResponse refusal(int status, std::string_view why);

}  // namespace skua
