# Everything comes from the system's packages (script/bootstrap installs them on Debian 12);
# libtorch may also be a 2.x found through CMAKE_PREFIX_PATH.
# Global, so that a project that adds this one as a subdirectory can link it.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
set(CMAKE_FIND_PACKAGE_SORT_ORDER NATURAL)
find_package(Torch 1.13 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET GLOBAL libwebp libwebpmux)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET GLOBAL cairo)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET GLOBAL libhwy)
if(FOKKER_BUILD_CLI)
  find_package(CLI11 REQUIRED)
  find_package(tomlplusplus REQUIRED)
endif()
