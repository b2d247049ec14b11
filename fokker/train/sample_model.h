#pragma once
#include "fokker/core/device.h"
#include "fokker/data/dataset.h"
#include "fokker/denoise/guidance.h"
#include "fokker/distributed/ranks.h"
#include "fokker/format/model.h"
#include "fokker/sample/integrate.h"

namespace fokker {

/// Cells of a table's rows that are known: of all rows, or of each.
struct KnownCells {
  Tensor cells;  ///< (1 or n, columns) as a dataset's values; undefined where none is known
  Tensor known;  ///< (1 or n, columns) bool: which of them are
  /// Which of the others are known not to be missing, (1 or n, columns) bool; undefined: none. Of a model
  /// that can be told (TableLayout::tells_missing); of columns that have no missing cells it says nothing.
  Tensor present = {};
  bool any() const { return cells.defined(); }
};

/// How a model is sampled. What is left as it is suits most models.
struct SampleOptions {
  std::shared_ptr<const Sampler> sampler = nullptr;  ///< UniPC of order 3
  std::optional<TimeGrid> grid = {};                 ///< usual_grid of `steps`
  int64_t steps = 30;                                ///< plays no part beside a grid
  /// As the data of the training has them: one of all rows, or one of each row; without any, rows of any
  /// class.
  std::vector<std::string> labels = {};
  /// Of a model with a condition, in the user's units and the order of Model::condition: (n, k), a row of NaN
  /// for none, or (1, k) of all rows. Without any, rows without regard to it.
  Tensor conditions = {};
  double guidance = 1.0;  ///< weight: by `guide`, else classifier-free towards the labels or conditions
  GuidanceInterval guidance_interval = {};       ///< noise levels at which it acts
  std::shared_ptr<const Model> guide = nullptr;  ///< a worse model of the same data: AutoguidedDenoiser
  std::optional<double> clip = {};       ///< of the denoised estimate to [-clip, clip]; 0 never; images: 1
  Tensor start = {};                     ///< (n, event...) in the model's space; where undefined, the prior
  int64_t batch = 0;                     ///< rows sampled together; 0: 64 images, 4096 rows of a table (fewer
                                         ///< where its categories have many levels)
  std::vector<Observer> observers = {};  ///< see states in the model's space
  Precision precision = Precision::automatic;  ///< where not automatic, of a copy of the network
  KnownCells known = {};                       ///< of a table: rows are drawn given these
  /// Draw these of the n rows alone, as they are among all.
  std::optional<Share> part = {};
  /// Ranks draw a part each, and all get all rows, which are those of one; they call together. Observers see
  /// this rank's.
  Ranks ranks = {};
};

/// This rank's part of n rows: by rows or, where a method shares one step size among the rows of a block, by
/// whole blocks, so that all ranks' rows together are those of one process.
Share share_of_samples(const Ranks& ranks, const Sampler& sampler, int64_t n, int64_t block);

struct ModelSamples {
  Dataset rows;  ///< in the user's units, with the model's columns and the labels or conditions asked for
  int64_t evaluations = 0;  ///< of the denoiser per row
  int64_t rejected = 0;     ///< steps of an adaptive method, over all blocks
};

/// Draws n rows: float64 tables in the user's units, float32 images in [-1, 1]. Everything random depends on
/// the rng and the place of a row alone, whatever the batch; row i of a mixed batch is row i of its label's
/// own. Argument errors: a label that was not there in training, or not one or n of them; conditions of
/// another width, of another number of rows, or of a model that has none.
ModelSamples sample_counted(const Model& model, int64_t n, const Rng& rng, const SampleOptions& options = {});
/// The rows alone.
Dataset sample(const Model& model, int64_t n, const Rng& rng, const SampleOptions& options = {});

/// The model's denoiser as it is sampled: towards a label where one is given, and clipped where images are,
/// or where `clip` says so. Holds the network.
std::shared_ptr<const Denoiser> sampling_denoiser(const Model& model, std::optional<double> clip = {},
                                                  const std::string& label = "", double guidance = 1.0);

/// The conditions of the first n rows of a data set, again from the first where there are fewer, as
/// SampleOptions::conditions takes them: (n, k).
Tensor conditions_of_rows(const Model& model, const Dataset& rows, int64_t n);

/// Asks for n rows as a data set has them, where a model is told more than it can do without: the conditions
/// of rows, and their classes where the network knows no rows without (Network::knows_no_label); without
/// rows, all classes in turn. Argument error where there is nothing to tell.
void ask_as_rows(const Model& model, const Dataset* rows, int64_t n, SampleOptions& options);

/// The spacing of times that suits UniPC (make_sampler): steps that shrink towards the data where the process
/// ends there slowly enough, else equal steps of log-SNR.
TimeGrid usual_grid(const GaussianProcess& process, int64_t steps);

/// Rows of a model that go through all times together.
int64_t usual_batch(const std::vector<int64_t>& event_shape);
/// The same; of a table with many levels fewer, so that what is computed of all levels fits into memory that
/// the allocator keeps (32 MB), and is not mapped anew in every step.
int64_t usual_batch(const Model& model);

/// The class of a label as the data of the training has it. Argument error that lists them.
int64_t class_of(const Model& model, const std::string& label);

}  // namespace fokker
