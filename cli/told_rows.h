#pragma once
#include "cli/text_table.h"
#include "fokker/format/model.h"

namespace fokker::cli {

// What a file to be imputed says of its rows beside the cells that are filled.

/// The class of each row; none where the file or the model has no labels, which is said.
std::vector<std::string> told_labels(const TextTable& table, const Model& model);

/// Of a model of plain numbers that is conditioned on some: (rows, k) in the user's units, from the file's
/// columns and `given`, texts COLUMN=NUMBER of columns that it has not; undefined, having said so, where
/// there are none of them. Argument errors: a `given` of another model, of no condition, or of a column that
/// the file has. Input errors: some of the conditions only; a cell that is no number.
Tensor told_conditions(const TextTable& table, const Model& model, const std::vector<std::string>& given);

/// Input error for the first row that lacks a cell of a column that a table with a schema is always given,
/// where some other cell of it is to be filled.
void check_conditions_known(const TextTable& table, const Model& model, const KnownCells& known);

}  // namespace fokker::cli
