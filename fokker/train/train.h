#pragma once
#include "fokker/train/resolve.h"

namespace fokker {

/// Trains on the rows of a data set and returns the model with averaged weights (with
/// TrainOptions::keep_best those of the lowest held-out loss, else the last), ready for save_model or for
/// use on data in the user's units. Labels may be any whole numbers: the model keeps those that occur as
/// `label_names`. The same recipe and seed give the weights that `fokker train` gives.
Model train(const Dataset& data, const Recipe& recipe, const Rng& rng);

}  // namespace fokker
