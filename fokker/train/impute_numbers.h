#pragma once
#include "fokker/condition/posterior_sampler.h"
#include "fokker/train/sample_given.h"

namespace fokker {

struct ImputeNumbersOptions {
  int64_t steps = 100;
  int64_t batch = 0;                     ///< rows drawn together; 0 chooses
  std::vector<std::string> labels = {};  ///< one of each row, or none
  /// Of a model with a condition, (n, k) in the user's units, a row each, NaN for none; undefined for none.
  Tensor conditions = {};
  std::function<void(int64_t done)> progress = {};
};

/// Fills what is not known of n rows of plain numbers, for a model without a schema: each row is drawn given
/// its known columns as an exact measurement (a mask, noise 0), by a posterior sampler that takes
/// measurements without noise; rows with the same columns known go together. What a row becomes depends on
/// the rng and its place alone. Argument errors: a model of a typed table or of images, a method that needs
/// noise, conditions of another shape or of a model that has none.
Imputation impute_numbers(const Model& model, const KnownCells& rows, int64_t draws,
                          const PosteriorSampler& method, const Rng& rng,
                          const ImputeNumbersOptions& options = {});

}  // namespace fokker
