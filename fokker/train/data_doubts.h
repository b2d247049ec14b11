#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"
#include "fokker/train/row_survey.h"

namespace fokker {

/// Input error, naming the row, where the network cannot be given it.
void check_rows(const Dataset& data, const Normalisation& normalisation, const RowSurvey& survey);

/// What in the data of a training is likely to be meant otherwise: labels that are identifiers, a column in
/// which a few far rows make the standard deviation, a table that cannot be whitened. `survey`: of tables of
/// plain numbers.
std::vector<std::string> data_doubts(const Dataset& data, const Split& parts, NormalisationKind asked,
                                     const Normalisation& normalisation,
                                     const std::optional<RowSurvey>& survey);

}  // namespace fokker
