#include "fokker/train/trainer.h"
#include "support.h"

namespace fokker {
namespace {

// AdamW multiplies weights by 1 - learning rate x decay, which must stay positive.
TEST(TrainOptions, BoundTheWeightDecayByTheLearningRate) {
  EXPECT_NO_THROW(check_options({.learning_rate = 0.01, .weight_decay = 99}));
  EXPECT_THAT([] { check_options({.learning_rate = 0.01, .weight_decay = 101}); },
              message("expected a weight decay below 1 / learning rate = 100 but received 101"));
}

TEST(TrainOptions, TakeTheEndsOfTheirRanges) {
  EXPECT_NO_THROW(
      check_options({.warm_up = 0, .final_learning_rate = 0, .gradient_clip = 0, .ema_decay = 0}));
  EXPECT_NO_THROW(check_options({.final_learning_rate = 1}));
  EXPECT_THAT([] { check_options({.final_learning_rate = 1.01}); }, message("0 to 1 times the peak"));
  EXPECT_THAT([] { check_options({.ema_decay = 1}); }, message("0 <= ema < 1"));
}

// A number that was meant for something else would gather rows for minutes before its memory runs out.
TEST(TrainOptions, BoundTheBatch) {
  EXPECT_NO_THROW(check_options({.batch = 1 << 24}));
  EXPECT_THAT([] { check_options({.batch = 1'000'000'000}); },
              message("a batch of at most 16777216 rows but received 1000000000"));
}

}  // namespace
}  // namespace fokker
