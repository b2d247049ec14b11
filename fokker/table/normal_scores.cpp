#include "fokker/table/normal_scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "fokker/core/check.h"
#include "fokker/core/normal_quantiles.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/table/distribution.h"
#include "fokker/table/lattice.h"

namespace fokker {
namespace {

constexpr int64_t most_knots = 1024;     // beside those of repeated values
constexpr int64_t most_repeated = 1024;  // values
constexpr int64_t least_repeats = 5;     // rows of a value that come by no chance
const at::TensorOptions real64 = at::TensorOptions(at::kDouble);

/// The distribution function of values at its knots. Those of values that must come back are not left out.
struct Steps {
  std::vector<double> at, share;
  std::vector<bool> kept;

  void add(double value, double below, bool keep) {
    at.push_back(value);
    share.push_back(below);
    kept.push_back(keep);
  }
};

/// Of sorted values; rounded ones are the same within half a step.
ValueCounts counted(const double* sorted, int64_t n, double step) {
  ValueCounts column;
  for (int64_t first = 0; first < n;) {
    int64_t end = first + 1;
    while (end < n && (sorted[end] == sorted[first] || sorted[end] - sorted[first] < 0.5 * step)) ++end;
    column.values.push_back(sorted[first]);
    column.counts.push_back(end - first);
    first = end;
  }
  return column;
}

/// Values that rows have again and again, and that come back as often: the most frequent.
std::vector<bool> repeated_values(const ValueCounts& column, bool rounded) {
  std::vector<bool> repeated(column.values.size());
  if (rounded) repeated = find_heaps(column, least_repeats);
  std::vector<int64_t> counts;
  for (size_t i = 0; i < repeated.size(); ++i) {
    if (!rounded) repeated[i] = column.counts[i] >= least_repeats;
    if (repeated[i]) counts.push_back(column.counts[i]);
  }
  if (std::ssize(counts) <= most_repeated) return repeated;
  std::nth_element(counts.begin(), counts.begin() + most_repeated, counts.end(), std::greater<>());
  for (size_t i = 0; i < repeated.size(); ++i)
    repeated[i] = repeated[i] && column.counts[i] > counts[most_repeated];
  return repeated;
}

/// Between equal neighbours of a sample: half of a value's own share lies below it; of one that comes again,
/// at either end of its share.
Steps steps_of_values(const ValueCounts& column) {
  const std::vector<bool> repeated = repeated_values(column, false);
  const auto n = static_cast<double>(column.total());
  Steps steps;
  int64_t first = 0;
  for (size_t i = 0; i < column.values.size(); ++i) {
    const int64_t end = first + column.counts[i];
    if (repeated[i]) {
      steps.add(column.values[i], static_cast<double>(first) / n, true);
      steps.add(column.values[i], static_cast<double>(end) / n, true);
    } else {
      steps.add(column.values[i], 0.5 * static_cast<double>(first + end) / n, false);
    }
    first = end;
  }
  return steps;
}

/// At both edges of the cell of each rounded value; where others may come beside it, in the middle of its
/// cell in place of that edge, unless it comes again and again.
Steps steps_of_cells(const ValueCounts& column, double step, Between between) {
  const std::vector<bool> repeated = repeated_values(column, true), open = open_gaps(column, step, between);
  const auto n = static_cast<double>(column.total());
  Steps steps;
  int64_t first = 0;
  for (size_t i = 0; i < column.values.size(); ++i) {
    const int64_t end = first + column.counts[i];
    const double low = column.values[i] - 0.5 * step, high = column.values[i] + 0.5 * step;
    const bool open_below = i > 0 && open[i - 1] && !repeated[i];
    const bool open_above = i < open.size() && open[i] && !repeated[i];
    if (!open_below && !steps.at.empty() && low <= steps.at.back() + 0.25 * step)
      steps.kept.back() = steps.kept.back() || repeated[i];
    else if (!open_below)
      steps.add(low, static_cast<double>(first) / n, repeated[i]);
    if (open_below || open_above)
      steps.add(column.values[i], 0.5 * static_cast<double>(first + end) / n, false);
    if (!open_above) steps.add(high, static_cast<double>(end) / n, repeated[i]);
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
    if (!last && !all.kept[i] && all.share[i] < next) continue;
    some.add(all.at[i], all.share[i], all.kept[i]);
    next = all.share[i] + 1.0 / static_cast<double>(most_knots - 2);
  }
  return some;
}

/// Phi.
Tensor normal_shares(const Tensor& scores) {
  return 0.5 * at::erfc(scores * -M_SQRT1_2);
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

NormalScores NormalScores::fit(const Tensor& given, double step, Between between) {
  check(given.dim() == 1 && given.size(0) > 0 && step >= 0,
        "NormalScores: expected values and a step >= 0 but received {} of them and {}", given.numel(), step);
  const Tensor sorted = std::get<0>(given.to(at::kDouble).sort()).contiguous();
  const int64_t n = sorted.size(0);
  const auto* data = sorted.data_ptr<double>();
  const ValueCounts column = counted(data, n, step);
  const Steps steps = thinned(step > 0 ? steps_of_cells(column, step, between) : steps_of_values(column));
  NormalScores map;
  map.step_ = step;
  map.smooth_ = step > 0 && between != Between::none;
  map.origin_ = map.smooth_ && step > 1 ? std::fmod(data[0], step) : 0;
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
  if (step_ > 0) return interpolate(values_, scores_, values + step_ * (within - 0.5));
  const int64_t knots = values_.size(0);
  const Tensor at = values.clamp(low_, high_).contiguous();
  const Tensor first = at::searchsorted(values_, at).clamp_max(knots - 1);
  const Tensor last = (at::searchsorted(values_, at, false, true) - 1).clamp_min(0);
  // Of a value that comes again any place of its share.
  const Tensor below = normal_shares(scores_.index_select(0, first)),
               above = normal_shares(scores_.index_select(0, last));
  return at::where(last > first, normal_quantiles((below + (above - below) * within).clamp(1e-15, 1 - 1e-15)),
                   interpolate(values_, scores_, at));
}

/// Where a rounded value's share of the law begins and ends: at the edges of its cell, or half-way to the
/// knot beside it where that is the middle of another cell. (Edges are half a step from the middles.)
std::pair<double, double> NormalScores::share_ends(double value) const {
  const auto* knot = values_.data_ptr<double>();
  const int64_t knots = values_.size(0);
  const int64_t at = std::lower_bound(knot, knot + knots, value - 0.25 * step_) - knot;
  std::pair<double, double> ends{value - 0.5 * step_, value + 0.5 * step_};
  if (at == knots || knot[at] > value + 0.25 * step_) return ends;
  const auto end_beside = [&](double other) {
    const double steps = std::abs(other - value) / step_;
    return std::abs(steps - std::round(steps)) < 0.25 ? 0.5 * (other + value) : other;
  };
  if (at > 0) ends.first = end_beside(knot[at - 1]);
  if (at + 1 < knots) ends.second = end_beside(knot[at + 1]);
  return ends;
}

Tensor NormalScores::to_smooth_scores(const Tensor& values, const Tensor& within) const {
  if (!smooth_) return to_scores(values, within);
  const Tensor given = values.to(at::kDouble).contiguous();
  const Tensor low = at::empty_like(given), high = at::empty_like(given);
  for (int64_t i = 0; i < given.numel(); ++i)
    std::tie(low.data_ptr<double>()[i], high.data_ptr<double>()[i]) = share_ends(given.data_ptr<double>()[i]);
  const Tensor below = normal_shares(interpolate(values_, scores_, low)),
               above = normal_shares(interpolate(values_, scores_, high));
  return normal_quantiles((below + (above - below) * within).clamp(1e-15, 1 - 1e-15));
}

/// To the nearest multiple of the step: of a decimal one to the double that its digits are read as.
Tensor NormalScores::rounded(const Tensor& values) const {
  if (step_ <= 0) return values;
  if (step_ >= 1) return ((values - origin_) / step_).round() * step_ + origin_;
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
  const Tensor s0 = scores_.index_select(0, below), s1 = scores_.index_select(0, above);
  const Tensor width = values_.index_select(0, above) - values_.index_select(0, below);
  const Tensor slope = (s1 - s0) / width;
  if (step_ > 0) return (slope * step_).log();
  // A value that comes again has its share, spread over these scores as N(0, 1) has it.
  const Tensor share = (normal_shares(s1) - normal_shares(s0)).log() + 0.5 * at.square();
  return at::where(width > 0, slope.log(), share + 0.5 * std::log(2 * M_PI));
}

Json NormalScores::to_json() const {
  const auto list = [](const Tensor& t) {
    return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel());
  };
  Json json = {
      {"step", step_}, {"low", low_}, {"high", high_}, {"values", list(values_)}, {"scores", list(scores_)}};
  if (smooth_) json.update({{"origin", origin_}, {"smooth", true}});
  return json;
}

NormalScores NormalScores::from_json(const Json& json, const std::string& file) {
  const detail::JsonReader reader(json, file);
  NormalScores map;
  map.step_ = reader.get<double>("step");
  map.low_ = reader.get<double>("low");
  map.high_ = reader.get<double>("high");
  reader.read("origin", map.origin_);
  reader.read("smooth", map.smooth_);
  map.values_ = at::tensor(reader.get<std::vector<double>>("values"), real64);
  map.scores_ = at::tensor(reader.get<std::vector<double>>("scores"), real64);
  const auto rising = [](const Tensor& t, bool strictly) {
    const Tensor d = t.diff();
    return (strictly ? d > 0 : d >= 0).all().item<bool>() && t.isfinite().all().item<bool>();
  };
  const bool strictly = map.step_ > 0;
  check_input(map.step_ >= 0 && map.low_ <= map.high_ && map.values_.numel() > 0 &&
                  map.values_.numel() == map.scores_.numel() && rising(map.values_, strictly) &&
                  rising(map.scores_, false),
              "{}: expected rising 'values' and 'scores' of one length", file);
  return map;
}

}  // namespace fokker
