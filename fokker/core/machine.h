#pragma once
#include "fokker/core/text/json.h"

namespace fokker {

/// What this process runs on: {"fokker", "libtorch", "compiler", "system", "cpu", "cores", "memory_gib",
/// "threads"}.
Json machine();

}  // namespace fokker
