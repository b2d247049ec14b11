# Install tree: include/fokker/..., lib/libfokker.a, lib/cmake/fokker, bin/fokker.
include(CMakePackageConfigHelpers)

set(FOKKER_LIBRARIES fokker)
if(FOKKER_BUILD_PLOT)
  list(APPEND FOKKER_LIBRARIES fokker_plot)
endif()
if(FOKKER_BUILD_COURSE)
  list(APPEND FOKKER_LIBRARIES fokker_course)
endif()
install(TARGETS ${FOKKER_LIBRARIES} EXPORT fokker-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/fokker DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN precompiled.h EXCLUDE)
install(EXPORT fokker-targets NAMESPACE fokker:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fokker-config.cmake.in
  ${PROJECT_BINARY_DIR}/fokker-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fokker-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fokker-config.cmake ${PROJECT_BINARY_DIR}/fokker-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
