#pragma once
#include "cli/option/sample_options.h"
#include "fokker/train/sample_given.h"

namespace fokker::cli {

/// Whether rows are drawn given something.
bool is_given(const SampleOptions& options);

/// "COLUMN=NUMBER" of a condition: its place in the vector and the number. A column's name may hold a '='.
/// Argument errors as read_conditions'.
std::pair<size_t, double> given_number(const std::string& text, const ConditionMap& condition);

/// Warns of conditions (n, k) far outside of those of the training.
void warn_of_far(const ConditionMap& condition, const Tensor& rows);

/// What --given and --given-file say of a model that is conditioned on numbers.
struct GivenConditions {
  Tensor rows;         ///< (groups, k) in the user's units
  int64_t copies = 1;  ///< samples of each
};

/// Argument errors: a model without conditions; a column that is none of them; one that is given twice, or by
/// anything but a number; not all of them. Input errors, naming the file: a condition that it has not. Warns
/// of conditions far outside of those of the training.
GivenConditions read_conditions(const SampleOptions& options, const Model& model);

/// What --given and --given-file say of rows of a model, `options.n` of each row of the file. Argument errors
/// as parse_conditions', and for a model that did not learn its columns given others. Input errors, naming
/// file, line and column: a cell that its column cannot hold, or one outside those of the training.
GivenRows read_given(const SampleOptions& options, const Model& model);

}  // namespace fokker::cli
