# skua_fuzz(<name> SOURCES ... [LINK <target>...])
#
# Declares the program <name>_fuzz, whose sources define LLVMFuzzerTestOneInput(). With SKUA_FUZZ libFuzzer is its main, and
# tools/fuzz runs it. Without, it is the test fuzz.<name>: some thousand inputs that are the same each time, and those that are
# kept in inputs/<name>/ because they once found something.
option(SKUA_FUZZ "Build the fuzzers with libFuzzer (clang), and no other tests" OFF)
if(SKUA_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "SKUA_FUZZ needs clang, which brings libFuzzer: cmake --preset fuzz")
endif()

add_custom_target(fuzzers)  # all of them

function(skua_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name}_fuzz ${arg_SOURCES})
  target_link_libraries(${name}_fuzz PRIVATE ${arg_LINK} skua_warnings)
  add_dependencies(fuzzers ${name}_fuzz)
  if(SKUA_FUZZ)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(${name}_fuzz PRIVATE without_fuzzer.cpp)
  add_test(NAME fuzz.${name} COMMAND ${name}_fuzz)
  file(GLOB kept CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/inputs/${name}/*")
  if(kept)
    add_test(NAME fuzz.${name}.kept COMMAND ${name}_fuzz ${kept})
  endif()
endfunction()
