# skua_warnings: the warnings our own code is built with. Never exported to users.
option(SKUA_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
add_library(skua_warnings INTERFACE)
target_compile_options(skua_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${SKUA_WERROR}>:-Werror>)
install(TARGETS skua_warnings EXPORT SkuaTargets)  # an empty target once installed: static libraries name it
