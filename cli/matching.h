#pragma once
#include <optional>

#include "fokker/data/columns.h"
#include "fokker/data/load.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// What labels are for: classes of a model, or nothing.
enum class LabelUse { left_out, used };

/// The columns that a model was trained on.
WantedColumns columns_of(const ModelData& model);

/// Reads a table whose columns are those wanted, in that order and under those names, whatever order the file
/// has them in (match_columns); says what was guessed and what is left out. Columns that `options` chooses by
/// hand and that have other names stand for the wanted ones in the order given. The wanted column of labels
/// is read where labels are used and there is one. A table of a schema is read by it; of an array the values
/// are its cells. Images are read as they are.
Dataset load_columns(const std::string& file, const WantedColumns& wanted, LoadOptions options,
                     LabelUse use = LabelUse::used);

/// Two files of the same kind of rows: the columns of the one that has fewer, in its order, from both.
std::pair<Dataset, Dataset> load_pair(const std::string& first, const std::string& second,
                                      const LoadOptions& options);

/// Makes a file's labels places among those that a model knows. Where they are left out, or the model knows
/// none, removes them. Says so where it is not what might be expected. Input error for a label that was not
/// there in training.
void place_labels(Dataset& data, const std::vector<std::string>& known, LabelUse use);

/// Labels of rows first to first + count on the device of `type`; undefined where there are none.
Tensor label_rows(const Tensor& labels, int64_t first, int64_t count, const at::TensorOptions& type);

}  // namespace fokker::cli
