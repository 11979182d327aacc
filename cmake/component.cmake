# skua_component(<id> MOUNT <prefix> [DEPS <id>...] [PRIVATE_DEPS <target>...] SOURCES ... HEADERS ...)
#
# Declares the layer <id> in the calling folder. Its headers lie flat beside their sources and are
# included as <MOUNT/file.hpp>, here and after installation. In the build tree the prefix is one
# symlink under an include root that belongs to this component alone: a component reaches the roots
# of its DEPS and no others, so an include that points upwards does not compile. HEADERS are public
# and installed; a header that is not listed is private.
function(skua_component id)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MOUNT" "DEPS;PRIVATE_DEPS;SOURCES;HEADERS")
  set(root "${PROJECT_BINARY_DIR}/include/${id}")
  cmake_path(GET arg_MOUNT PARENT_PATH parent)
  file(MAKE_DIRECTORY "${root}/${parent}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/${arg_MOUNT}" SYMBOLIC)
  list(TRANSFORM arg_HEADERS PREPEND "${root}/${arg_MOUNT}/")
  list(TRANSFORM arg_DEPS PREPEND "skua::")

  add_library(skua_${id} STATIC ${arg_SOURCES})
  add_library(skua::${id} ALIAS skua_${id})
  target_sources(skua_${id} PUBLIC FILE_SET HEADERS BASE_DIRS "${root}" FILES ${arg_HEADERS})
  target_compile_features(skua_${id} PUBLIC cxx_std_20)
  target_link_libraries(skua_${id} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS} skua_warnings)
  # Source locations name scheduler/worker.hpp, not a path inside the build tree.
  target_compile_options(skua_${id} PRIVATE "-ffile-prefix-map=${root}/${arg_MOUNT}=${id}")
  set_target_properties(skua_${id} PROPERTIES
    EXPORT_NAME ${id}
    POSITION_INDEPENDENT_CODE ON
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  install(TARGETS skua_${id} EXPORT SkuaTargets FILE_SET HEADERS)
endfunction()
