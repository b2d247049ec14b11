#pragma once
#include <cstdint>

#include "fokker/distributed/ranks.h"
#include "fokker/train/incidents.h"

namespace fokker {

struct TrainOptions {
  int64_t steps = 3000;  ///< stop after this many steps
  double minutes = 0;  ///< or, where positive, after this much time; the learning rate then follows the clock
  int64_t batch = 512;
  double learning_rate = 2e-3;
  int64_t warm_up = 100;              ///< steps of linear warm-up
  double final_learning_rate = 0.01;  ///< fraction of the peak that cosine decay ends at
  double weight_decay = 0.0;
  double gradient_clip = 1.0;  ///< largest norm of the gradient; 0 turns clipping off
  double ema_decay = 0.999;
  int64_t log_every = 50;
  int64_t held_out_every = 500;
  int64_t held_out_rows = 2048;  ///< at most so many rows are used for the held-out loss
  int64_t checkpoint_every = 1000;
  int64_t checkpoints_kept = 2;
  bool keep_best = false;  ///< keep the averaged weights of the lowest held-out loss beside the last ones
  int64_t patience = 0;    ///< end after this many held-out losses that were not lower; 0 never does
  OnDivergence on_divergence = OnDivergence::stop;
  int64_t most_skips = 100;  ///< batches left out before training has diverged after all
  int64_t most_rewinds = 5;  ///< the same of going back
  int64_t workers = 0;  ///< threads that make batches ahead of rows on disk; 0 chooses: 1, of images up to 4
  Ranks ranks = {};     ///< the processes that divide each batch, and the held-out rows, among them

  /// 0 in place of what `resolve` chooses by the data; -1 for the weight decay, of which 0 is none.
  static TrainOptions undecided() {
    return {.steps = 0,
            .batch = 0,
            .learning_rate = 0,
            .weight_decay = -1,
            .log_every = 0,
            .held_out_every = 0,
            .held_out_rows = 0,
            .checkpoint_every = 0};
  }
};

/// Argument error where one of them is out of its range.
void check_options(const TrainOptions& options);

}  // namespace fokker
