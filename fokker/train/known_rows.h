#pragma once
#include "fokker/train/recipe.h"

namespace fokker {

/// The rows with the conditions that the recipe asks for, or that the model to go on from has, and with
/// labels as the model will know them. Argument errors: labels and conditions of one data set; a warm start
/// from a model of other columns, conditions or kinds. Input errors as take_conditions' and name_labels'.
Dataset known_rows(Dataset data, const Recipe& recipe);

/// The cells that a table's map is fitted to: all, or of those that stay on disk so many, evenly chosen,
/// which a note says.
Tensor rows_to_fit(const Dataset& training, std::vector<std::string>& notes);

/// The map of the training rows' conditions, or that of the model to go on from. Of a table with a schema the
/// columns that the recipe names: input errors, naming the source, as of plain columns, and where the columns
/// that are left all follow from these.
ConditionMap choose_condition(const Dataset& training, const TableMap* table,
                              const Normalisation& normalisation, const Recipe& recipe);

}  // namespace fokker
