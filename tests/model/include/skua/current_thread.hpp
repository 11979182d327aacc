// Where the sources look for it; the models mount the folder as skua/runtime.
#pragma once

#include <skua/runtime/current_thread.hpp>
