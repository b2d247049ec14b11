#pragma once
#include "cli/option/data_options.h"
#include "cli/option/kind_options.h"
#include "fokker/train/resolve.h"

namespace fokker::cli {

/// The options of `fokker train` as typed. Zero and "auto" mean: choose by the data.
struct TrainSettings : KindOptions {
  CommonOptions common;
  std::string data, out, label_column, labels;
  std::string from;                    ///< run to go on from
  std::vector<std::string> condition;  ///< columns that the others are learned given
  DataOptions reading;
  std::string process = "vp", predict = "auto", objective = "denoising", weighting = "auto", times = "auto";
  std::string network = "auto", normalise = "standardise";
  std::string stream = "auto",
              cache = {};  ///< whether rows stay on disk, and where the cache of a CSV file is
  int64_t workers = 0;
  MlpOptions mlp = undecided_mlp();
  bool plain = false;
  int64_t rows = 10'000;
  int64_t steps = 0, batch = 0, checkpoint_every = 0, held_out_every = 0, patience = 0, divergence_limit = 0;
  std::string on_divergence = "stop";
  double timeout = 60, minutes = 0, learning_rate = 0, ema = 0.999, gradient_clip = 1.0, weight_decay = -1,
         held_out = 0.05;
  bool resume = false, overwrite = false, dry_run = false, no_report = false, keep_best = false,
       tensorboard = false;

  /// How the file is read. Of --channels, those that an image can have are the file's, more the U-Net's.
  DataOptions file_reading() const {
    DataOptions file = reading;
    if (file.channels > most_image_channels) file.channels = 0;
    return file;
  }
  /// Channels of the U-Net's first level; 0 chooses.
  int64_t unet_channels() const { return reading.channels > most_image_channels ? reading.channels : 0; }
};

/// What the options say, for `resolve`; data is not read for it, but for a target's.
Recipe recipe_of(const TrainSettings& settings);

/// The rows of the settings, and all decided that they leave open. A run that is resumed names its columns
/// and labels.
TrainingPlan make_plan(const TrainSettings& settings, const Ranks& ranks = {});

/// "target:TARGET": rows drawn from a known law, or the file that --data names.
/// Of a run that there is already, `known`, its columns by name and its labels. `leave_unread` as in
/// LoadOptions.
Dataset read_data(const TrainSettings& settings, const ModelData* known = nullptr, bool leave_unread = false);
/// The rows to train on and those held out; the same settings give the same split.
Split split_data(const TrainSettings& settings, const Dataset& data);

/// What a later report needs to find the rows of a run again, for its record.
Json data_options(const TrainSettings& settings);

}  // namespace fokker::cli
