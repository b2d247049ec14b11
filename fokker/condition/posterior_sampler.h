#pragma once
#include <functional>
#include <memory>

#include "fokker/condition/measurement.h"
#include "fokker/core/text/spec_registry.h"
#include "fokker/denoise/denoiser.h"
#include "fokker/sample/time_grid.h"

namespace fokker {

struct PosteriorOptions {
  int64_t draws = 1;      ///< K: samples of each measured row; of a particle method its particles
  Rng rng = Rng(0);       ///< noise is keyed by (its seed, purpose, row K + draw, step)
  int64_t first_row = 0;  ///< index of the first measured row, for a call on a part of them
  /// (rows) int64: indices of the measured rows in the whole, where they do not follow one another from
  /// first_row on.
  Tensor row_indices = {};
  /// Rows of x that go through a network together; 0: 64 of images, 4096 of others. Memory is bounded by it
  /// and, of a particle method, by the particles of one measured row. It does not change what is drawn.
  int64_t block = 0;
  at::TensorOptions type = at::kFloat;  ///< what the denoiser computes in, and where
  /// Standard deviation of the data in the denoiser's space, a coordinate's: what x_0 is thought to vary by
  /// where a method has no better idea (PiGDM, TDS).
  double data_deviation = 1;
  /// (rows, K, event...): x at the grid's first time, of this call's rows. Undefined: N(0, alpha^2 sd^2 +
  /// sigma^2), that of centred data of the deviation sd above. Where sigma is not large beside the data and
  /// its mean, only draws of the law of x_t itself are right: AnalyticDenoiser::marginal, or noised data.
  Tensor start = {};
  /// (rows) int64 classes or (rows, k) conditions that the denoiser is told; undefined for none.
  Tensor labels = {};
  /// Told how many samples of all are finished.
  std::function<void(int64_t done)> progress = {};
};

/// Samples of x_0 given each measured row, with weights.
struct PosteriorSamples {
  Tensor x;                 ///< (rows, K, event...)
  Tensor log_weights;       ///< (rows, K) float64: their exponentials sum to 1 in each row
  Tensor ess;               ///< (rows) 1 / sum w^2, effective samples of K
  int64_t evaluations = 0;  ///< calls of the denoiser, each on all samples of a row
  int64_t gradients = 0;    ///< passes back through it
};

/// What a method gets: rows of samples that are one call's work, row i of x with row i of the measurement.
struct PosteriorBlock {
  const Denoiser& denoiser;
  const Measurement& measurement;
  const TimeGrid& grid;
  const PosteriorOptions& options;
  Tensor labels;              ///< (n), or undefined
  Tensor start;               ///< (n, event...) at the grid's first time
  NoiseSource noise;          ///< of options.type; position.first_sample counts rows of the block
  Tensor row_indices;         ///< of the measured rows in the whole run, (n / draws) where all draws are here
  int64_t rows_together = 1;  ///< rows of x that the denoiser is called on

  const GaussianProcess& process() const { return denoiser.process(); }
  /// The denoiser at x, the rows of the block from `first` on, told their labels.
  Estimate estimate(const Tensor& x, const Times& t, int64_t first = 0) const {
    return denoiser.estimate(x, t, labels.defined() ? labels.narrow(0, first, x.size(0)) : Tensor());
  }
};

struct PosteriorDraw {
  Tensor x;            ///< (n, event...)
  Tensor log_weights;  ///< (n); undefined for equal ones
  int64_t evaluations = 0, gradients = 0;
};

/// A method that draws x_0 given a measurement from a denoiser of x_0 alone. One of your own says its name,
/// which measurements it takes, and how a block is drawn; registered (register_posterior_sampler), `fokker
/// restore` has it too.
///
///   const LinearMeasurement seen(make_operator("downsample:2", {.event = {1, 28, 28}}), y, 0.05);
///   const auto method = make_posterior_sampler("mmps");
///   const PosteriorSamples found = method->sample(*model.denoiser(), seen, posterior_grid(process, 50),
///                                                 {.draws = 8});
class PosteriorSampler {
 public:
  virtual ~PosteriorSampler() = default;
  virtual std::string name() const = 0;
  /// Argument error, before any work, where the method cannot take the measurement.
  virtual void check_measurement(const Measurement&) const {}
  /// Whether samples of one measured row depend on one another (particles), so that weights and resampling
  /// go over the whole row.
  virtual bool interacts() const { return false; }
  /// Whether derivatives of the denoiser are taken: it is then called in its plain form.
  virtual bool differentiates() const { return false; }

  /// Draws `options.draws` samples of x_0 for each row of the measurement, from noise at the grid's first
  /// time to data. What comes out does not depend on how rows are divided among calls, blocks and threads.
  /// Argument errors: check_measurement's, a grid that does not end at 0 or begins where alpha = 0 although
  /// the method differentiates, not one label per row, a start of another shape. Error of kind `failed` where
  /// a sample is not finite (a step size too large). Heeds a StopRequest.
  PosteriorSamples sample(const Denoiser& denoiser, const Measurement& measurement, const TimeGrid& grid,
                          const PosteriorOptions& options = {}) const;

 protected:
  virtual PosteriorDraw draw(const PosteriorBlock& block) const = 0;
};

/// Times for posterior samplers: `steps` steps as uniform in log-SNR, from t = 1, or the last time at which
/// the process has a signal (ScheduleModel::sde_end), to clean data.
TimeGrid posterior_grid(const GaussianProcess& process, int64_t steps);

/// `count` samples of each row without weights, picked by systematic resampling (keyed by rng and row):
/// (rows, count, event...). Those of few particles repeat.
Tensor equally_weighted(const PosteriorSamples& samples, int64_t count, const Rng& rng,
                        int64_t first_row = 0);

/// By name with parameters:
///   replacement:resample=R · ddnm · dps:step=Z,form=norm|squared · pigdm:sampler=S ·
///   mmps:iterations=I,sampler=S · tds:threshold=T,covariance=auto|jacobian|assumed ·
///   gibbs:iterations=N,largest=H,smallest=L
/// Argument errors list the valid names and parameters.
std::unique_ptr<PosteriorSampler> make_posterior_sampler(std::string_view spec);
std::vector<std::string> posterior_sampler_names();
std::vector<Description> posterior_sampler_descriptions();
/// Adds a method under a name. Argument error where the name is taken.
void register_posterior_sampler(const std::string& name,
                                std::function<std::unique_ptr<PosteriorSampler>(Spec&)> make,
                                const std::string& summary = "");

}  // namespace fokker
