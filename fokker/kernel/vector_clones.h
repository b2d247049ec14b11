#pragma once

// The library is built for any x86-64; functions with this attribute are compiled once more for AVX2,
// and one of the two is chosen at load time.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FOKKER_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define FOKKER_VECTOR_CLONES
#endif
