# fokker_pass_over_unused_libraries(program): the program starts without the libraries that libtorch names and does not
# use (cmake/unused-libraries). They are found in the folder `unused` beside it, as links to an empty one.
function(fokker_pass_over_unused_libraries program)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/unused)
  file(MAKE_DIRECTORY ${folder})
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/unused.cpp CONTENT "// Nothing.\n")
  add_library(${program}-unused SHARED ${CMAKE_CURRENT_BINARY_DIR}/unused.cpp)
  set_target_properties(${program}-unused PROPERTIES OUTPUT_NAME fokker-unused LIBRARY_OUTPUT_DIRECTORY ${folder})
  target_link_options(${program}-unused PRIVATE -nostdlib)
  add_dependencies(${program} ${program}-unused)
  # DT_RPATH and not DT_RUNPATH: it holds for what the libraries name, too.
  target_link_options(${program} PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/unused" BUILD_WITH_INSTALL_RPATH ON)
  add_custom_command(TARGET ${program} POST_BUILD
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/unused-libraries $<TARGET_FILE:${program}> ${folder}
            $<TARGET_FILE:${program}-unused> VERBATIM)
  install(DIRECTORY ${folder}/ DESTINATION ${FOKKER_ENGINE_FOLDER}/unused USE_SOURCE_PERMISSIONS)
endfunction()
