#include "fokker/table/normal_scores.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/normal_quantiles.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

constexpr int64_t most_knots = 1024;
const at::TensorOptions real64 = at::TensorOptions(at::kDouble);

/// The distribution function of values at its knots.
struct Steps {
  std::vector<double> at, share;
};

/// Between equal neighbours of a sorted sample: half of a value's own share lies below it.
Steps steps_of_values(const double* sorted, int64_t n) {
  Steps steps;
  for (int64_t first = 0; first < n;) {
    int64_t end = first + 1;
    while (end < n && sorted[end] == sorted[first]) ++end;
    steps.at.push_back(sorted[first]);
    steps.share.push_back(0.5 * static_cast<double>(first + end) / static_cast<double>(n));
    first = end;
  }
  return steps;
}

/// At both edges of the cell of each rounded value.
Steps steps_of_cells(const double* sorted, int64_t n, double step) {
  Steps steps;
  for (int64_t first = 0; first < n;) {
    int64_t end = first + 1;
    while (end < n && sorted[end] - sorted[first] < 0.5 * step) ++end;
    const double low = sorted[first] - 0.5 * step, high = sorted[first] + 0.5 * step;
    const double below = static_cast<double>(first) / static_cast<double>(n);
    if (steps.at.empty() || low > steps.at.back() + 0.25 * step) {
      steps.at.push_back(low);
      steps.share.push_back(below);
    }
    steps.at.push_back(high);
    steps.share.push_back(static_cast<double>(end) / static_cast<double>(n));
    first = end;
  }
  return steps;
}

/// Knots at even shares, and the ends: more would say nothing of the law, only of the sample.
Steps thinned(const Steps& all) {
  if (std::ssize(all.at) <= most_knots) return all;
  Steps some;
  double next = 0;
  for (size_t i = 0; i < all.at.size(); ++i) {
    const bool last = i + 1 == all.at.size();
    if (!last && all.share[i] < next) continue;
    some.at.push_back(all.at[i]);
    some.share.push_back(all.share[i]);
    next = all.share[i] + 1.0 / static_cast<double>(most_knots - 2);
  }
  return some;
}

/// y at x on the line through the knots around it; beyond them the end's.
Tensor interpolate(const Tensor& xs, const Tensor& ys, const Tensor& x) {
  const int64_t knots = xs.size(0);
  if (knots == 1) return at::full_like(x, ys[0].item<double>());
  const Tensor at = x.clamp(xs[0].item<double>(), xs[-1].item<double>());
  const Tensor above = at::searchsorted(xs, at.contiguous()).clamp(1, knots - 1), below = above - 1;
  const Tensor x0 = xs.index_select(0, below), x1 = xs.index_select(0, above);
  const Tensor y0 = ys.index_select(0, below), y1 = ys.index_select(0, above);
  return y0 + (y1 - y0) * ((at - x0) / (x1 - x0));
}

}  // namespace

NormalScores NormalScores::fit(const Tensor& given, double step) {
  check(given.dim() == 1 && given.size(0) > 0 && step >= 0,
        "NormalScores: expected values and a step >= 0 but received {} of them and {}", given.numel(), step);
  const Tensor sorted = std::get<0>(given.to(at::kDouble).sort()).contiguous();
  const int64_t n = sorted.size(0);
  const auto* data = sorted.data_ptr<double>();
  const Steps steps = thinned(step > 0 ? steps_of_cells(data, n, step) : steps_of_values(data, n));
  NormalScores map;
  map.step_ = step;
  map.low_ = data[0];
  map.high_ = data[n - 1];
  map.values_ = at::tensor(steps.at, real64);
  // The ends of n values lie where a half of the outermost one does.
  const double least = 0.5 / static_cast<double>(n + 1);
  const Tensor share = at::tensor(steps.share, real64);
  map.scores_ = normal_quantiles(least + (1 - 2 * least) * share);
  return map;
}

Tensor NormalScores::to_scores(const Tensor& values, const Tensor& within) const {
  const Tensor spread = step_ > 0 ? values + step_ * (within - 0.5) : values;
  return interpolate(values_, scores_, spread);
}

/// To the nearest multiple of the step: of a decimal one to the double that its digits are read as.
Tensor NormalScores::rounded(const Tensor& values) const {
  if (step_ <= 0) return values;
  if (step_ >= 1) return (values / step_).round() * step_;
  const double per_unit = std::round(1 / step_);
  return (values * per_unit).round() / per_unit;
}

Tensor NormalScores::to_values(const Tensor& scores) const {
  const Tensor values = interpolate(scores_, values_, scores.to(at::kDouble));
  return rounded(values).clamp(low_, high_);
}

Tensor NormalScores::log_slope(const Tensor& scores) const {
  const int64_t knots = scores_.size(0);
  check(knots > 1, "NormalScores: a column of one value has no density");
  const Tensor at = scores.to(at::kDouble).clamp(scores_[0].item<double>(), scores_[-1].item<double>());
  const Tensor above = at::searchsorted(scores_, at.contiguous()).clamp(1, knots - 1), below = above - 1;
  const Tensor rise = scores_.index_select(0, above) - scores_.index_select(0, below);
  const Tensor slope = rise / (values_.index_select(0, above) - values_.index_select(0, below));
  return (step_ > 0 ? slope * step_ : slope).log();
}

Json NormalScores::to_json() const {
  const auto list = [](const Tensor& t) {
    return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel());
  };
  return {
      {"step", step_}, {"low", low_}, {"high", high_}, {"values", list(values_)}, {"scores", list(scores_)}};
}

NormalScores NormalScores::from_json(const Json& json, const std::string& file) {
  const detail::JsonReader reader(json, file);
  NormalScores map;
  map.step_ = reader.get<double>("step");
  map.low_ = reader.get<double>("low");
  map.high_ = reader.get<double>("high");
  map.values_ = at::tensor(reader.get<std::vector<double>>("values"), real64);
  map.scores_ = at::tensor(reader.get<std::vector<double>>("scores"), real64);
  const auto rising = [](const Tensor& t, bool strictly) {
    const Tensor d = t.diff();
    return (strictly ? d > 0 : d >= 0).all().item<bool>() && t.isfinite().all().item<bool>();
  };
  check_input(map.step_ >= 0 && map.low_ <= map.high_ && map.values_.numel() > 0 &&
                  map.values_.numel() == map.scores_.numel() && rising(map.values_, true) &&
                  rising(map.scores_, false),
              "{}: expected rising 'values' and 'scores' of one length", file);
  return map;
}

}  // namespace fokker
