#pragma once
#include <string>
#include <vector>

#include "fokker/kernel/matrix/factor.h"

namespace fokker::kernel {

/// The processor's extensions that some path here or in the libraries below has a use for, of those that it
/// has: avx2, fma, avx512f, avx512bw, avx512_vnni, avx512_bf16, and amx_bf16 where the system grants its
/// registers. Empty on other architectures.
std::vector<std::string> processor_extensions();

/// The instructions that the vector kernels run on in this process, in Highway's name: "AVX3" is AVX-512.
std::string vector_instructions();

/// Operations a second of the kernels' own product on this process's threads, factors in cache: the best of
/// some 0.2 s.
double product_rate(FactorPrecision precision);

/// Bytes a second of a[i] = b[i] + 3 c[i] in memory beyond the caches, on this process's threads: the best of
/// some 0.2 s.
double triad_rate();

}  // namespace fokker::kernel
