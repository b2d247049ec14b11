#pragma once
#include <optional>

#include "cli/option/sample_options.h"
#include "cli/plot/trajectory_file.h"
#include "cli/progress.h"
#include "fokker/data/dataset.h"
#include "fokker/distributed/ranks.h"
#include "fokker/sample/chain/markov_chain.h"
#include "fokker/sample/samplers.h"

namespace fokker::cli {

/// What `fokker sample` has drawn.
struct Samples {
  Dataset rows = {};  ///< in the user's units
  int64_t evaluations = 0;
  std::optional<double> acceptance = {};  ///< of a Markov chain
  std::optional<int64_t> rejected = {};   ///< steps of an adaptive method, over all blocks
  std::optional<int64_t> drawn = {};      ///< rows, of which those that meet conditions were kept
  Json prior = {};                        ///< how it fits, where they start from it
};

/// The rows of one time, carried to the user's units.
using ToUserUnits = std::function<Tensor(const Tensor&)>;

/// What a run goes through.
struct RunFrame {
  const GaussianProcess& process;
  int64_t rows = 0;
  std::vector<int64_t> event;
  ToUserUnits to_user;
  bool table = false;   ///< of a schema: table_grid where it suits the method
  bool watched = true;  ///< with progress
  int64_t block = 0;    ///< rows that go together unless asked; 0: usual_batch of the event
};

/// A method on its grid, with progress and the trajectory where it is asked for.
class WatchedRun {
 public:
  WatchedRun(const SampleOptions& options, const RunFrame& frame);
  const std::shared_ptr<const Sampler>& sampler() const { return sampler_; }
  const TimeGrid& grid() const { return grid_; }
  int64_t block() const { return block_; }
  const std::vector<Observer>& observers() const { return observers_; }
  void finish();

 private:
  SamplerChoice choice_;
  TimeGrid grid_;
  std::shared_ptr<const Sampler> sampler_ = std::move(choice_.sampler);
  int64_t block_;
  std::vector<Observer> observers_;
  std::optional<Progress> progress_;
  int64_t done_ = 0;
  std::optional<TrajectoryFile> states_;
};

/// How the prior fits where the grid begins, having said so where it does not.
Json judge_prior(const GaussianProcess& process, double spread, const TimeGrid& grid);

/// Runs a Markov chain on one law, with the same progress and trajectory.
Samples run_kernel(const SampleOptions& options, const KernelChoice& choice, const Distribution& law,
                   const Tensor& start, const ToUserUnits& to_user);

/// Of a run's model: all rows, drawn by all ranks. Argument error where they cannot share the work.
Samples sample_model(const SampleOptions& options, const Ranks& ranks);

}  // namespace fokker::cli
