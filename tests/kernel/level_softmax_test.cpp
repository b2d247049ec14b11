#include "fokker/kernel/vector/level_softmax.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "instruction_sets.h"
#include "support.h"

namespace fokker::kernel {
namespace {

constexpr int64_t n = 37, columns = 5, code_dims = 6;

MatrixRows rows_from(const Tensor& m, int64_t column = 0) {
  return {m.data_ptr<float>() + column, m.stride(0)};
}

/// Two sets of corners, a line and many points, and all that is computed of them in float64 tensors.
struct LevelProblem {
  LevelLayout layout;
  std::vector<Tensor> points;  ///< (levels, dims) of each part
  Tensor x, ratio, mask, known, added, target;
  int64_t dims = 0;

  explicit LevelProblem(int64_t one_ratio = 0) {
    using Kind = LevelPart::Kind;
    const Rng rng(4);
    add(Kind::corners, 3, at::eye(3) * 1.7, rng);
    add(Kind::corners, 21, at::eye(21) * 2.5, rng);
    add(Kind::line, 90, at::linspace(-2, 2.5, 90).unsqueeze(1), rng);
    layout.first_of_points = layout.levels();
    add(Kind::points, 133, rng.stream("points").normal({133, code_dims}), rng);
    x = rng.stream("x").normal({n, dims});
    ratio = (rng.stream("ratio").normal({one_ratio ? 1 : n}) - 1).exp();
    mask = (rng.stream("mask").uniform({n, columns}) < 0.3).to(at::kFloat);
    known = rng.stream("known").normal({n, dims});
    added = rng.stream("added").normal({n, layout.levels()}) * 2;
    std::vector<Tensor> levels;
    for (const LevelPart& part : layout.parts)
      levels.push_back(
          rng.stream("target").stream(static_cast<uint64_t>(part.level)).integers(n, part.levels));
    target = at::stack(levels, 1).contiguous();
  }

  void add(LevelPart::Kind kind, int64_t levels, const Tensor& raw, const Rng& rng) {
    const auto number = static_cast<uint64_t>(layout.parts.size());
    const Tensor prior = at::softmax(rng.stream("prior").stream(number).normal({levels}, {}, at::kDouble), 0);
    const Tensor mean = at::mv(raw.to(at::kDouble).t(), prior);
    const bool corners = kind == LevelPart::Kind::corners;
    points.push_back(raw.to(at::kDouble) - mean);
    const Tensor offset = corners                         ? mean
                          : kind == LevelPart::Kind::line ? points.back().squeeze(1)
                                                          : 0.5 * points.back().square().sum(1);
    layout.parts.push_back({.kind = kind,
                            .level = layout.levels(),
                            .levels = levels,
                            .dim = dims,
                            .column = static_cast<int64_t>(number),
                            .scale = corners ? raw[0][0].item<float>() : 1.0f,
                            .factor = 0.5f + static_cast<float>(number)});
    for (int64_t k = 0; k < levels; ++k) {
      layout.offset.push_back(offset[k].item<float>());
      layout.log_prior.push_back(std::log(prior[k].item<float>()));
    }
    dims += raw.size(1);
  }

  struct Answers {
    Tensor own = {}, features = {}, chances = {}, means = {}, log_p = {}, losses = {}, slopes = {},
           scaled = {};
    std::vector<Tensor> all() const { return {own, features, chances, means, log_p, losses, slopes, scaled}; }
  };

  Tensor part_of(const Tensor& all, size_t p) const {
    return all.narrow(1, layout.parts[p].level, layout.parts[p].levels);
  }
  Tensor dims_of(const Tensor& all, size_t p) const {
    return all.narrow(1, layout.parts[p].dim, points[p].size(1));
  }

  /// The twin.
  Answers expected() const {
    std::vector<Tensor> own, features, chances, means, log_p, losses, slopes, scaled;
    const Tensor r = ratio.to(at::kDouble).unsqueeze(1), y = x.to(at::kDouble) * (1 + r.square()).sqrt();
    for (size_t p = 0; p < points.size(); ++p) {
      const Tensor given = mask.narrow(1, layout.parts[p].column, 1) > 0;
      const Tensor prior = at::tensor(layout.log_prior).narrow(0, layout.parts[p].level, points[p].size(0));
      const Tensor square = (dims_of(y, p).unsqueeze(1) - points[p].unsqueeze(0)).square().sum(2);
      Tensor logits = prior.to(at::kDouble) - square / (2 * r.square());
      const Tensor chance = at::where(given, at::zeros_like(logits), at::softmax(logits, 1));
      features.push_back(at::where(given, dims_of(known, p).to(at::kDouble), at::mm(chance, points[p])) *
                         layout.parts[p].factor);
      logits = at::where(given, prior.to(at::kDouble).unsqueeze(0), logits);
      own.push_back(logits - logits.logsumexp(1, true));
      if (layout.parts[p].kind == LevelPart::Kind::points) chances.push_back(chance);
      log_p.push_back(at::log_softmax(logits + part_of(added, p).to(at::kDouble), 1));
      const Tensor probability = log_p.back().exp();
      means.push_back(at::mm(probability, points[p]));
      const Tensor at = target.narrow(1, static_cast<int64_t>(p), 1);
      const Tensor open = given.logical_not().to(at::kDouble);
      losses.push_back(-log_p.back().gather(1, at) * open);
      slopes.push_back((probability - at::zeros_like(probability).scatter(1, at, 1.0)) * open);
      scaled.push_back(slopes.back() * static_cast<double>(p + 1));
    }
    const auto joined = [](const std::vector<Tensor>& parts) { return at::cat(parts, 1); };
    return {joined(own),   joined(features), joined(chances), joined(means),
            joined(log_p), joined(losses),   joined(slopes),  joined(scaled)};
  }

  Answers found() const {
    const int64_t levels = layout.levels(), many = levels - layout.first_of_points;
    const auto empty = [](int64_t width) { return at::full({n, width}, NAN); };
    const Tensor products = at::mm(dims_of(x, 3), points[3].to(at::kFloat).t()), chances = empty(many);
    Answers a{.own = empty(levels), .features = empty(dims), .chances = chances, .means = empty(dims)};
    own_level_logits(layout,
                     {.x = rows_from(x),
                      .ratio = ratio.data_ptr<float>(),
                      .ratio_stride = ratio.size(0) == 1 ? 0 : 1,
                      .products = rows_from(products),
                      .mask = rows_from(mask),
                      .known = rows_from(known)},
                     n, rows_from(a.own), rows_from(a.features), rows_from(chances));
    a.chances = chances.clone();
    const Tensor codes = points[3].to(at::kFloat), given = mask.narrow(1, 3, 1) > 0;
    dims_of(a.features, 3)
        .copy_(at::where(given, dims_of(known, 3), at::mm(chances, codes)) * layout.parts[3].factor);
    a.log_p = empty(levels);
    level_posterior(layout, rows_from(a.own), rows_from(added), n, rows_from(a.means), rows_from(chances),
                    rows_from(a.log_p));
    const Tensor means = a.means.clone();
    level_posterior(layout, rows_from(a.own), rows_from(added), n, rows_from(a.means), rows_from(chances),
                    {});
    EXPECT_TRUE(at::equal(means.nan_to_num(7), a.means.nan_to_num(7))) << "with log p or without";
    dims_of(a.means, 3).copy_(at::mm(chances, codes));
    a.losses = empty(4);
    a.slopes = empty(levels);
    level_losses(layout, rows_from(a.own), rows_from(added), target.data_ptr<int64_t>(), rows_from(mask), n,
                 rows_from(a.losses), rows_from(a.slopes));
    a.scaled = empty(levels);
    const Tensor factors = (at::arange(4) + 1).to(at::kFloat).expand({n, 4}).contiguous();
    scale_level_parts(layout, rows_from(a.slopes), rows_from(factors), n, rows_from(a.scaled));
    // Own logits are such up to a constant of each part.
    for (size_t p = 0; p < points.size(); ++p)
      part_of(a.own, p).sub_(part_of(a.own, p).to(at::kDouble).logsumexp(1, true).to(at::kFloat));
    return a;
  }
};

// Logits reach some thousand at small noise, where float32 has four digits after the point left.
TEST(LevelSoftmax, AgreesWithPlainTensors) {
  for (const int64_t one_ratio : {0, 1}) {
    const LevelProblem problem(one_ratio);
    const auto expected = problem.expected().all();
    on_each_instruction_set([&] {
      const auto found = problem.found().all();
      for (size_t i = 0; i < expected.size(); ++i) {
        const Tensor off = (found[i].to(at::kDouble) - expected[i]).abs();
        const Tensor scale = 1 + expected[i].abs();
        EXPECT_LT((off / scale).max().item<double>(), 2e-3) << i;
        EXPECT_LT((off / scale).mean().item<double>(), 2e-5) << i;
      }
    });
  }
}

TEST(LevelSoftmax, DoesNotDependOnThreads) {
  const LevelProblem problem;
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = problem.found().all();
  at::set_num_threads(3);
  const auto three = problem.found().all();
  at::set_num_threads(before);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

// Logits that are far apart leave no more than rounding, and NaN stays seen.
TEST(LevelSoftmax, HoldsAtTheEndsOfTheRange) {
  LevelLayout layout;
  layout.parts.push_back({.kind = LevelPart::Kind::line, .level = 0, .levels = 3, .dim = 0, .column = 0});
  layout.offset = {-1, 0, 1};
  layout.log_prior = {0, 0, 0};
  layout.first_of_points = 3;
  on_each_instruction_set([&] {
    const Tensor own = at::tensor({-3e6f, 0.0f, -3e6f, NAN, 0.0f, 0.0f}).view({2, 3}),
                 added = at::zeros({2, 3});
    const std::vector<int64_t> level = {1, 1};
    const Tensor losses = at::empty({2, 1}), slopes = at::empty({2, 3});
    level_losses(layout, rows_from(own), rows_from(added), level.data(), {}, 2, rows_from(losses),
                 rows_from(slopes));
    EXPECT_EQ(losses[0][0].item<float>(), 0);
    EXPECT_TRUE((slopes[0] == 0).all().item<bool>());
    EXPECT_TRUE(losses[1][0].isnan().item<bool>());
    EXPECT_TRUE(slopes[1].isnan().all().item<bool>());
  });
}

}  // namespace
}  // namespace fokker::kernel
