#pragma once
#include <string>
#include <vector>

#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"

namespace fokker {

/// Input error, naming the row, where the network cannot be given it.
void check_rows(const Dataset& data, const Normalisation& normalisation);

/// What in the data of a training is likely to be meant otherwise: labels that are identifiers, a column in
/// which a few far rows make the standard deviation, a table that cannot be whitened.
std::vector<std::string> data_doubts(const Dataset& data, const Split& parts, NormalisationKind asked,
                                     const Normalisation& normalisation);

}  // namespace fokker
