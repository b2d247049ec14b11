#pragma once

namespace fokker::bench {

/// Prints a table: for products as the networks take them, on one thread and in cache, what the kernels reach
/// and what oneDNN does with the right factor laid out once, in float32 and in bfloat16, alone and with a
/// bias and SiLU.
void print_product_rates();

}  // namespace fokker::bench
