// What ranks say to each other at every step.
#include "fokker/train/step_exchange.h"

#include <gmock/gmock.h>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/core/random/rng.h"
#include "fokker/nn/unet/unet.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::Each;

std::unique_ptr<UNet> exchanged_unet() {
  UNetOptions net = UNetOptions::for_images(1, 8, 8, 8);
  net.zero_output = false;
  auto network = std::make_unique<UNet>(net, 3);
  network->set_requires_grad(true);
  return network;
}

Tensor loss_of(const UNet& network, int64_t rank, int64_t step) {
  const auto key = static_cast<uint64_t>(10 * step + rank);
  return network.forward(Rng(1).stream(key).normal({4, 1, 8, 8}), at::full({4}, 0.3), {}).square().mean();
}

/// The largest difference to the sum of all gradients, in units of its largest number, over some steps.
double worst_of_steps(const Ranks& ranks, StepExchange& exchange, int64_t steps) {
  const auto network = exchanged_unet(), other = exchanged_unet();
  FlatParameters parameters(*network), others(*other);
  double worst_found = 0;
  for (int64_t step = 0; step < steps; ++step) {
    Tensor expected = at::zeros_like(others.values());
    double value = 0, all_values = 0;
    for (int64_t rank = 0; rank < ranks.size(); ++rank) {
      const Tensor loss = loss_of(*other, rank, step);
      expected += others.gradient(loss);
      all_values += loss.item<double>();
    }
    const Tensor loss = loss_of(*network, ranks.rank(), step);
    value = loss.item<double>();
    Votes votes{.seconds = 1.0 + static_cast<double>(ranks.rank()), .stop = step == 1 && ranks.rank() == 1};
    const Tensor found = exchange.gradient(ranks, parameters, loss, value, votes);
    worst_found = std::max(worst_found, relative_difference(found, expected.to(at::kDouble)));
    check(std::abs(value / all_values - 1) < 1e-6, "the loss of all");
    check(votes.seconds == 1 && votes.stop == (step == 1) && !votes.end, "what all go by");
    const Tensor of_root = found.clone();
    ranks.broadcast(of_root);
    check(of_root.equal(found), "the same bits on all");
  }
  return worst_found;
}

// However the buffer is cut: each parameter by itself, some together, all at once.
TEST(StepExchange, AddsUpWhateverTheBuckets) {
  for (const int64_t size : {2, 3})
    for (const int64_t bucket : {1, 1000, 0}) {
      const auto errors = run_ranks(size, [&](const Ranks& ranks) {
        StepExchange exchange(bucket);
        // A few roundings of float32.
        const double worst_found = worst_of_steps(ranks, exchange, 3);
        check(worst_found < 1e-5, "a difference of {}", worst_found);
      });
      EXPECT_THAT(errors, Each("")) << size << " ranks, buckets of " << bucket;
    }
}

}  // namespace
}  // namespace fokker
