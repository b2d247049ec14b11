#include "fokker/core/memory.h"

#include <malloc.h>

namespace fokker {

void keep_freed_memory() {
#ifdef __GLIBC__
  // What is larger is mapped by itself, and unmapped; glibc takes no larger threshold.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace fokker
