#pragma once

namespace fokker::bench {

/// What this machine can do at best, as libraries of others reach it.
struct MachineLimits {
  double products;       ///< float32 operations a second in oneDNN's product of two 2048 x 2048 matrices
  double bf16_products;  ///< the same of factors in bfloat16, as its matmul computes; 0 where it has none
  double
      bandwidth;  ///< bytes a second of a = b + s c on arrays far larger than the caches (McCalpin's triad)
};

/// The best of several repeats, with as many threads as libtorch uses.
MachineLimits measure_limits();

}  // namespace fokker::bench
