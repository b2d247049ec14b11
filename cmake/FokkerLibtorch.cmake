# The target torch: the system's libtorch or, where FOKKER_LIBTORCH names a folder with include/ and lib/ (the folder torch
# of PyPI's package, an unpacked libtorch), that one. Its own CMake package is passed over there: it asks for nvcc and for
# CUDA's headers, which a program in C++ does not need, and it takes up what it finds of the system's libtorch.
set(FOKKER_LIBTORCH "" CACHE PATH "Another libtorch than the system's: a folder with include/ and lib/")
option(FOKKER_CUDA "Link the CUDA part of FOKKER_LIBTORCH, which takes seconds to load" OFF)

if(NOT FOKKER_LIBTORCH)
  find_package(Torch 1.13 REQUIRED)
elseif(NOT TARGET torch)
  set(libraries c10 torch_cpu)
  if(FOKKER_CUDA)
    list(APPEND libraries c10_cuda torch_cuda)
  endif()
  add_library(torch INTERFACE IMPORTED GLOBAL)
  # What its libraries need in turn they find by themselves; the last is needed for what it registers alone.
  target_link_options(torch INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(torch INTERFACE -Wl,--no-as-needed)
  foreach(name ${libraries})
    find_library(FOKKER_LIBTORCH_${name} ${name} PATHS ${FOKKER_LIBTORCH}/lib NO_DEFAULT_PATH REQUIRED)
    target_link_libraries(torch INTERFACE ${FOKKER_LIBTORCH_${name}})
  endforeach()
  target_link_libraries(torch INTERFACE -Wl,--as-needed)
  # Its own headers alone: the package brings those of fmt, oneDNN and others too, in versions that are not linked here.
  set(headers ${CMAKE_BINARY_DIR}/libtorch-headers)
  file(MAKE_DIRECTORY ${headers})
  foreach(folder ATen c10 caffe2 torch)
    file(CREATE_LINK ${FOKKER_LIBTORCH}/include/${folder} ${headers}/${folder} SYMBOLIC)
  endforeach()
  target_include_directories(torch SYSTEM INTERFACE ${headers} ${headers}/torch/csrc/api/include)
endif()
