#pragma once
#include "fokker/core/text/json.h"

namespace fokker {

/// What this process runs on: {"fokker", "libtorch", "compiler", "system", "cpu", "cores", "memory_gib",
/// "threads"}.
Json machine();

/// Cores, not hardware threads, that this process may use: those of its affinity mask, or fewer where a
/// container's quota (cgroup version 2) is less. At least 1.
int available_cores();

}  // namespace fokker
