#pragma once
#include "fokker/distributed/ranks.h"
#include "fokker/evaluate/two_sample/relabelling.h"

namespace fokker {

/// The energy distance of the two sets under each labelling, (count), from the pooled rows (n + m, d): zero
/// self-distances included.
Tensor energy_statistics(const Tensor& pooled, const Relabelling& relabelling, const Ranks& ranks = {});

}  // namespace fokker
