#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/dataset.h"

namespace fokker {

/// Labels of rows as places in the list of those that occur.
struct LabelColumn {
  Tensor labels;  ///< (n) int64 in 0..names.size() - 1
  std::vector<std::string> names;
};

/// The whole number that a label is, however it is written: 7, +7, 007, 7.0, 2e9. Nothing for text, for a
/// fraction, and for a number that 64 bits (2^53 where it is written as a real) do not hold exactly.
std::optional<int64_t> whole_label(std::string_view text);

/// Sorts labels that were read as text: `codes` are places in `texts`, all different. Whole numbers stand in
/// rising order, equal ones joined under the shortest way in which they were written; other texts in the
/// order of their bytes. Input error, naming `file`, where all are numbers and one has a fraction or is not
/// finite.
LabelColumn sorted_labels(const std::vector<std::string>& texts, const std::vector<int64_t>& codes,
                          const std::string& file);

/// Makes labels (n), whole numbers of any type, places in `label_names`, of which only those that occur are
/// kept. Without names the numbers themselves, in rising order, become the names. Does nothing where the data
/// has no labels. Input error, naming `file`: a fraction, a number beyond 2^53, an index without a name.
void name_labels(Dataset& dataset, const std::string& file);

/// The place in `names` of a label as a user writes it: by its text, or among whole numbers by its value.
std::optional<int64_t> find_label(const std::vector<std::string>& names, std::string_view label);

/// The labels of a data set as places in `known`. Input error, naming the row, where one is not there.
Tensor labels_among(const Dataset& dataset, const std::vector<std::string>& known);

/// The names for a message, shortened where they are many.
std::string list_labels(const std::vector<std::string>& names);

}  // namespace fokker
