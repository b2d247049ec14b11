#pragma once
#include <optional>

#include "fokker/data/dataset.h"

namespace fokker {

/// The same rows as plain numbers, without a schema: (n, d) float64. Nothing where a column holds texts that
/// are no numbers, or a cell is missing.
std::optional<Dataset> as_plain_numbers(const Dataset& table);

}  // namespace fokker
