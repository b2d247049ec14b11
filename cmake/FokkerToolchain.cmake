# Language level, warnings, sanitizers and compile caching, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# An installed program finds libtorch where it was found here, also outside the system folders.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Hot loops are in fokker/kernel, which keeps -O3; elsewhere it buys nothing but time to compile.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header changes its time stamp at every clean build; ccache must look past that.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()

add_library(fokker_options INTERFACE)
# -fPIC everywhere, and not by CMake's property: the flags of library and programs must agree for them to share
# one precompiled header.
target_compile_options(fokker_options INTERFACE -fPIC -Wall -Wextra -Wno-unknown-pragmas -fno-math-errno)
# at::parallel_for is a template of libtorch's headers: without OpenMP it is compiled into a plain loop.
target_compile_options(fokker_options INTERFACE -fopenmp)
if(CCACHE_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(fokker_options INTERFACE -fpch-preprocess)
endif()
if(FOKKER_SANITIZE)
  target_compile_options(fokker_options INTERFACE -fsanitize=${FOKKER_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(fokker_options INTERFACE -fsanitize=${FOKKER_SANITIZE})
endif()
