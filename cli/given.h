#pragma once
#include "cli/option/sample_options.h"
#include "fokker/train/sample_given.h"

namespace fokker::cli {

/// Whether rows are drawn given something.
bool is_given(const SampleOptions& options);

/// What --given and --given-file say of rows of a model, `options.n` of each row of the file. Argument errors
/// as parse_conditions', and for a model that did not learn its columns given others. Input errors, naming
/// file, line and column: a cell that its column cannot hold, or one outside those of the training.
GivenRows read_given(const SampleOptions& options, const Model& model);

}  // namespace fokker::cli
