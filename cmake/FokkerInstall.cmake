# Install tree: include/fokker/..., lib/libfokker.a, lib/cmake/fokker, bin/fokker.
include(CMakePackageConfigHelpers)
include(FokkerPublicHeaders)

# One export for each library: a program that does not draw need not have what drawing needs.
function(install_library target export)
  install(TARGETS ${target} EXPORT ${export}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ${export} NAMESPACE fokker:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
endfunction()
install_library(fokker fokker-targets)
set(FOKKER_UMBRELLAS fokker/fokker.h)
set(FOKKER_COMPONENTS "")
foreach(component image onnx plot course)
  string(TOUPPER ${component} option)
  if(FOKKER_BUILD_${option})
    install_library(fokker_${component} fokker-${component}-targets)
    list(APPEND FOKKER_UMBRELLAS fokker/${component}/${component}.h)
    list(APPEND FOKKER_COMPONENTS ${component})
  endif()
endforeach()
fokker_public_headers(FOKKER_HEADERS ${FOKKER_UMBRELLAS})
foreach(header ${FOKKER_HEADERS})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fokker-config.cmake.in
  ${PROJECT_BINARY_DIR}/fokker-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fokker-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fokker-config.cmake ${PROJECT_BINARY_DIR}/fokker-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FokkerLibtorch.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fokker)
