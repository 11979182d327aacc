# skua_test(<name> SOURCES ... [LINK <target>...] [LABELS <label>...])
#
# Declares a GoogleTest program and registers each of its tests with ctest. Labels that mean something:
#   io      runs twice more: with io_uring refused, and with rings of 2 and 4 entries (tools/test)
#   timing  measures time: runs while nothing else does
include(GoogleTest)
function(skua_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest_main skua_warnings)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60)
  if(arg_LABELS)
    # Not by the PROPERTIES of gtest_discover_tests: they cannot hold a list.
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake")
    set(serial FALSE)
    if("timing" IN_LIST arg_LABELS)
      set(serial TRUE)
    endif()
    file(WRITE "${file}"
      "if(${name}_TESTS)\n"
      "  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${arg_LABELS}\" RUN_SERIAL ${serial})\n"
      "endif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${file}")
  endif()
endfunction()
