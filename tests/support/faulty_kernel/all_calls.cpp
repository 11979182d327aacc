// Refers to every function of the kernel seam: see CMakeLists.txt.
#include <skua/core/kernel.hpp>

namespace skua::tests {

extern const void* const every_kernel_call[];
const void* const every_kernel_call[] = {
#define KERNEL_CALL(name) reinterpret_cast<const void*>(&kernel::name),
#include "kernel_calls.inc"
#undef KERNEL_CALL
};

}  // namespace skua::tests
