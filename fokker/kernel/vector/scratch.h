#pragma once
#include <cstdint>

namespace fokker::kernel {

/// What a thread's scratch memory is for: the holder of one may ask for the other.
enum class Scratch { shared, own };

/// Memory of this thread for at least `count` numbers, uninitialised, until it asks for the same kind again.
/// It is kept, so that loops do not return pages to the system and fetch them anew.
float* scratch(Scratch kind, int64_t count);

}  // namespace fokker::kernel
