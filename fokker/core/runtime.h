#pragma once
#include <cstdint>

namespace fokker {

// Threads and memory of the process, which belong to the program. The library changes neither by itself. See
// also environment.h, for what must be said before the program starts.

/// Cores, not hardware threads, that this process may use: those of its affinity mask, or fewer where a
/// container's quota (cgroup version 2) is less. At least 1.
int available_cores();

/// Bytes of memory that this process may still take: what the system says is available, or less where a limit
/// of the process (RLIMIT_DATA, RLIMIT_AS) or of its container (cgroup version 2) is lower.
int64_t available_memory();

/// Sets the number of threads that work which this thread asks for is divided among (OpenMP's setting for
/// this thread, which libtorch's work heeds). Zero takes what OMP_NUM_THREADS says, and where it is not set
/// every core that this process may use. A thread that the program makes starts with the OpenMP default,
/// whatever was set elsewhere: where many threads sample at once, each calls set_threads(1). Results do not
/// depend on it. Argument error unless 0 to 1024.
void set_threads(int64_t threads);
int thread_count();

/// Keeps memory that is freed, up to 256 MB, for what this process allocates next, instead of handing it back
/// to the system: to get fresh pages costs more than to compute what a tensor of megabytes holds (a million
/// normal numbers take 2.5 ms in kept memory, 6 ms in fresh pages). For programs, at their start; the command
/// does. Does nothing where the C library is not glibc.
void keep_freed_memory();

}  // namespace fokker
