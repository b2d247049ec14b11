#include "fokker/train/train_options.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {

void check_options(const TrainOptions& o) {
  check(o.steps > 0, "train: expected steps > 0 but received {}", o.steps);
  check(o.minutes >= 0 && std::isfinite(o.minutes), "train: expected minutes >= 0 but received {}",
        o.minutes);
  constexpr int64_t most_rows = int64_t{1} << 24;
  check(o.batch > 0, "train: expected batch > 0 but received {}", o.batch);
  check(o.batch <= most_rows, "train: expected a batch of at most {} rows but received {}", most_rows,
        o.batch);
  check(o.batch >= o.ranks.size(),
        "train: expected a batch of at least a row for each of {} processes but received {}", o.ranks.size(),
        o.batch);
  check(o.learning_rate > 0 && std::isfinite(o.learning_rate),
        "train: expected learning rate > 0 but received {}", o.learning_rate);
  check(o.warm_up >= 0, "train: expected steps of warm-up >= 0 but received {}", o.warm_up);
  check(o.final_learning_rate >= 0 && o.final_learning_rate <= 1,
        "train: expected a final learning rate of 0 to 1 times the peak but received {}",
        o.final_learning_rate);
  check(o.weight_decay >= 0 && std::isfinite(o.weight_decay),
        "train: expected weight decay >= 0 but received {}", o.weight_decay);
  // AdamW multiplies the weights by 1 - learning rate * decay.
  check(o.learning_rate * o.weight_decay < 1,
        "train: expected a weight decay below 1 / learning rate = {} but received {}", 1 / o.learning_rate,
        o.weight_decay);
  check(o.ema_decay >= 0 && o.ema_decay < 1, "train: expected 0 <= ema < 1 but received {}", o.ema_decay);
  check(o.gradient_clip >= 0, "train: expected gradient clip >= 0 but received {}", o.gradient_clip);
  check(o.log_every > 0 && o.held_out_every > 0 && o.held_out_rows > 0 && o.checkpoint_every > 0,
        "train: expected the numbers of steps between logs, held-out losses and checkpoints, and of held-out "
        "rows, to be > 0 but received {}, {}, {} and {}",
        o.log_every, o.held_out_every, o.checkpoint_every, o.held_out_rows);
  check(o.workers >= 0 && o.workers <= 1024, "train: expected 0 to 1024 workers but received {}", o.workers);
  check(o.patience >= 0, "train: expected patience >= 0 but received {}", o.patience);
  check(o.most_skips > 0 && o.most_rewinds > 0,
        "train: expected at least one batch to skip, or one time to go back, but received {} and {}",
        o.most_skips, o.most_rewinds);
}

}  // namespace fokker
