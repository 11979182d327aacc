// Relacy, the model checker, without the macros by which its own entry header replaces `new`, `free` and the memory
// orders in everything that follows. Debian package: relacy-dev.
#pragma once

#include <relacy/base.hpp>
#include <relacy/context.hpp>
#include <relacy/context_base_impl.hpp>

#include <relacy/atomic.hpp>
#include <relacy/atomic_fence.hpp>
#include <relacy/dyn_thread.hpp>
#include <relacy/stdlib/condition_variable.hpp>
#include <relacy/stdlib/event.hpp>
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/semaphore.hpp>
#include <relacy/test_suite.hpp>
#include <relacy/thread_local.hpp>
#include <relacy/var.hpp>

#undef $  // relacy's name for "here"

#include <source_location>

namespace skua::model {

/// A place in the source, as relacy prints it in the history of a failed interleaving.
inline rl::debug_info place(const std::source_location& at) noexcept {
  return {at.function_name(), at.file_name(), static_cast<unsigned>(at.line())};
}

}  // namespace skua::model
