#pragma once
#include "fokker/sample/samplers.h"

namespace fokker::cli {

/// Rows where chains begin: a point "X,Y,...", or standard normal where the text is empty. Float64.
Tensor chain_start(const std::string& text, int64_t n, std::vector<int64_t> event, const Rng& rng);

}  // namespace fokker::cli
