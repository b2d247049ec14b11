#pragma once
#include <memory>
#include <string>

#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"
#include "fokker/denoise/spec.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/objective/time_sampling.h"
#include "fokker/process/prior_fit.h"

namespace fokker {

// What training chooses by the data and the process where it is not told.

/// Whether the process only adds noise (VE, EDM, Brownian): networks then see inputs of any size, and EDM's
/// scaling is made for them.
bool is_additive(const GaussianProcess& process);

/// Classes of a data set, 0 where it has no labels. Argument error for labels that do not count from 0.
int64_t class_count(const Dataset& data);

/// The rows to train on and those kept for the held-out loss; none are kept where `fraction` of the rows is
/// less than half a row.
Split hold_out(const Dataset& data, double fraction, const Rng& rng);

/// Pixels to [-1, 1]; tables as `tables` says, fitted to the rows, of whose columns `known` may tell already.
Normalisation default_normalisation(const Dataset& data,
                                    NormalisationKind tables = NormalisationKind::standardise,
                                    const ColumnFigures* known = nullptr);

/// data_spread of the rows as the model sees them.
double model_spread(const Dataset& data, const Normalisation& normalisation);

/// How the prior fits data of that spread, for a record; with the process that would do under "choose" where
/// it does not.
Json prior_record(const GaussianProcess& process, double spread, const PriorFit& fit);

/// The MLP with its width and depth, -1, left to `resolve`.
MlpOptions undecided_mlp();
/// The MLP for points; sizes of data are set by fit_to.
MlpOptions default_mlp();
/// Tables of at most so many columns of any kind are learned by the points' width and batch.
constexpr int64_t few_columns = 4;
/// The MLP of a table with columns of every kind: wider where it has half an hour (minutes; 0: not known).
MlpOptions default_table_mlp(double minutes, int64_t columns);
/// The same options for the columns and classes of a table.
MlpOptions fit_to(const Dataset& table, MlpOptions options);
/// The U-Net for images; `channels` 0 chooses its width.
UNetOptions default_unet(const Dataset& images, int64_t channels = 0);

/// EDM's for a process that only adds noise, else the velocity.
Prediction default_prediction(const GaussianProcess& process);
/// Argument error where the prediction says nothing of the data at t = 1: the noise and the score of a
/// process that ends in alpha(1) = 0 (the flow), or in float32 as good as 0, leave x_0 undetermined there.
void check_prediction(const Prediction& prediction, const GaussianProcess& process);
/// Log-normal noise levels for a process that only adds noise, else uniform times.
TimeSampling::Law default_times(const GaussianProcess& process);
/// The name of the denoising loss's weighting: edm for a process that only adds noise, else uniform.
std::string default_weighting(const GaussianProcess& process);

/// The default prediction of a process, and how its network is fed: a process that only adds noise with
/// log(sigma)/4 and scaled inputs, a U-Net (images) with the steps of a chain as diffusers counts them, an
/// MLP with t. An energy has no images.
DenoiserSpec default_denoiser(const GaussianProcess& process, bool images, bool energy = false);

}  // namespace fokker
