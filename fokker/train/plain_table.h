#pragma once
#include <optional>

#include "fokker/train/recipe.h"

namespace fokker {

/// The same rows as plain numbers, without a schema: (n, d) float64. Nothing where a column holds texts that
/// are no numbers, or a cell is missing.
std::optional<Dataset> as_plain_numbers(const Dataset& table);

/// A table with a schema has its own prediction, objective and network; where the recipe asks for others, or
/// every column is constant, it is taken as plain numbers, which a note says. Argument error where it cannot
/// be.
Dataset typed_or_plain(const Dataset& data, const Recipe& recipe, std::vector<std::string>& notes);

}  // namespace fokker
