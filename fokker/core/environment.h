#pragma once
#include <cstdlib>

namespace fokker {

/// Sets how threads of the libraries underneath wait, in the environment of the programs that this one starts
/// (exec): they read it when they are loaded, so that a program cannot set it for itself. What the user has
/// set stays. Needs this header alone, not the library.
///
/// OpenBLAS's threads beside OpenMP's, more than cores together, take turns by yielding: a U-Net's step takes
/// a third longer. So its products run on the thread that asks for them (OPENBLAS_NUM_THREADS=1). OpenMP's
/// threads wait awake for some 0.1 ms instead of 4, so that a core that others want is not burnt
/// (GOMP_SPINCOUNT=10000, unless OMP_WAIT_POLICY is set).
inline void set_thread_environment() {
  ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
  if (!std::getenv("OMP_WAIT_POLICY")) ::setenv("GOMP_SPINCOUNT", "10000", 0);
}

}  // namespace fokker
