# Installation: find_package(skua) gives skua::skua.
include(CMakePackageConfigHelpers)
install(TARGETS skua EXPORT SkuaTargets)
install(EXPORT SkuaTargets NAMESPACE skua:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/skua)
configure_package_config_file(cmake/skua-config.cmake.in "${PROJECT_BINARY_DIR}/skua-config.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/skua)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/skua-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/skua-config.cmake"
  "${PROJECT_BINARY_DIR}/skua-config-version.cmake"
  cmake/Findliburing.cmake
  cmake/Findconcurrentqueue.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/skua)
