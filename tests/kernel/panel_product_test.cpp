// The product in tiles that gives up what cannot matter, against the plain one.
#include "fokker/kernel/matrix/panel_product.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/component_panels.h"

namespace fokker::kernel {
namespace {

struct Logits {
  Tensor found, exact;  ///< (rows, components)
  std::vector<int64_t> best;
};

/// Logits of queries near components, and thresholds `below` the largest of each row.
Logits logits_of(int64_t components, int64_t d, double below) {
  constexpr int64_t rows = 3 * tile_rows;
  const double alpha = 0.7, slope = alpha / 0.49;
  const Tensor means = Rng(1).normal({components, d}, {}, at::kDouble) + 1;
  const Tensor log_weights = Rng(3).uniform({components}, {}, at::kDouble);
  const ComponentPanels panels{CentredMeans(means, log_weights)};
  const Tensor x = alpha * means.slice(0, 0, rows) + 0.7 * Rng(2).normal({rows, d}, {}, at::kDouble);
  const Tensor centred = x - alpha * panels.centre, offsets = means - panels.centre;
  const Panels shape = panels.panels();
  std::vector<float> values(rows * d), slopes(rows, static_cast<float>(slope)),
      curvatures(rows, static_cast<float>(slope * alpha)), tails(shape.looks() * rows);
  for (int64_t i = 0; i < rows; ++i)
    panels.pack(centred.data_ptr<double>() + i * d, values.data(), tails.data(), rows, i);
  const PanelQueries queries{rows / tile_rows, values.data(), slopes.data(), curvatures.data(), tails.data()};
  Logits result;
  result.exact = slope * centred.matmul(offsets.t()) - 0.5 * slope * alpha * offsets.square().sum(1) +
                 (log_weights - log_weights.max());
  result.best.resize(rows);
  result.found = at::empty({rows, shape.count * panel_width}, at::kFloat);
  start_logits(shape, queries, result.found.data_ptr<float>(), result.found.size(1), result.best.data());
  const Tensor thresholds = (result.exact.amax(1) - below).to(at::kFloat);
  if (shape.head < d)
    finish_logits(shape, queries, thresholds.data_ptr<float>(), result.found.data_ptr<float>(),
                  result.found.size(1));
  result.found = result.found.slice(1, 0, components).to(at::kDouble);
  return result;
}

TEST(PanelProduct, InOneStageAllLogitsAreThose) {
  for (const int64_t components : {1, 16, 100}) {
    const Logits logits = logits_of(std::max<int64_t>(components, 18), 50, 0);
    EXPECT_LT((logits.found - logits.exact).abs().max().item<double>(), 1e-3);
    const Tensor largest = logits.exact.argmax(1);
    for (size_t i = 0; i < logits.best.size(); ++i) EXPECT_EQ(logits.best[i], largest[i].item<int64_t>());
  }
}

TEST(PanelProduct, WhatIsGivenUpIsBelowItsThreshold) {
  constexpr double below = 30;
  const Logits logits = logits_of(500, 600, below);
  const Tensor given_up = logits.found == -HUGE_VAL;
  const Tensor above = logits.exact - logits.exact.amax(1, true) + below;
  EXPECT_FALSE((given_up & (above > 0)).any().item<bool>());
  EXPECT_LT((logits.found - logits.exact).abs().masked_fill(given_up, 0).max().item<double>(), 1e-2);
  EXPECT_GT(given_up.to(at::kDouble).mean().item<double>(), 0.8);  // what makes it quick
  for (size_t i = 0; i < logits.best.size(); ++i) EXPECT_EQ(logits.best[i], static_cast<int64_t>(i));
}

}  // namespace
}  // namespace fokker::kernel
