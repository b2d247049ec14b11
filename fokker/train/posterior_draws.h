#pragma once
#include "fokker/train/sample_model.h"

namespace fokker {

/// What `calibrate` (evaluate/calibration.h) compares.
struct PosteriorDraws {
  Tensor truth;                      ///< (n, d) float64
  Tensor draws;                      ///< (n, L, d)
  std::vector<std::string> columns;  ///< the d names
};

/// L draws of the other columns of each row given its conditions, in the user's units; of a table with a
/// schema in cells, NaN where one is missing. `given` names the columns that are given, of a table with a
/// schema any of them, where empty those that the model is conditioned on. Argument errors: images; a model
/// that is conditioned on nothing, with nothing named; columns that are not there, or are not all that the
/// model wants.
PosteriorDraws posterior_draws(const Model& model, const Dataset& rows, int64_t draws, const Rng& rng,
                               const SampleOptions& options = {}, const std::vector<std::string>& given = {});

}  // namespace fokker
