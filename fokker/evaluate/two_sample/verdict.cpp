// The strictest of several two-sample tests under shared relabellings.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/error.h"
#include "fokker/evaluate/two_sample/column_scores.h"
#include "fokker/evaluate/two_sample/common_precision.h"
#include "fokker/evaluate/two_sample/energy_strengths.h"
#include "fokker/evaluate/two_sample/two_sample.h"

namespace fokker {
namespace {

constexpr int64_t columns_at_once = 32, pairs_at_once = 64;
constexpr int64_t most_pairs = 1000, most_paired_columns = 1024, pairs_listed = 10;

/// A sum of k squares of about normal numbers as one about normal number, so that statistics of several k
/// compare (Wilson and Hilferty 1931). Rising in the sum: calibration is the relabellings'.
Tensor normal_strength(const Tensor& sum_of_squares, const Tensor& k) {
  const Tensor spread = 2.0 / (9.0 * k);
  return (at::pow(sum_of_squares / k, 1.0 / 3) - (1 - spread)) / spread.sqrt();
}
Tensor normal_strength(const Tensor& square) {
  return normal_strength(square, at::ones({1}, at::kDouble));
}

constexpr const char* kinds[] = {"location", "spread", "repeated values", "most frequent value", "shape"};

/// Five statistics of each column from its standardised scores (count, c, column_scores): (count, c, 5).
Tensor column_strengths(const Tensor& scores) {
  const Tensor squares = scores.square();
  const Tensor smooth = squares.slice(2, 0, smooth_scores);
  const Tensor varying = (smooth.amax(0) > 0).sum(1).clamp_min(1).to(at::kDouble);  // (c)
  const auto one = [&](int64_t k) { return normal_strength(squares.select(2, k)); };
  return at::stack(
      {one(0), one(1), one(smooth_scores), one(smooth_scores + 1), normal_strength(smooth.sum(2), varying)},
      2);
}

/// What a family of tests of many places found: its strongest place under each labelling, and each place's
/// own strength as given.
struct Family {
  Tensor strongest;               ///< (count)
  std::vector<double> strengths;  ///< of each place
};

/// The share of relabellings whose strongest place is at least as strong.
double corrected(const Family& family, double strength) {
  const auto share = (family.strongest >= strength - 1e-9).to(at::kDouble).mean().item<double>();
  return std::max(share, 1.0 / static_cast<double>(family.strongest.size(0)));
}

void add_places(Family& family, const Tensor& strengths) {  // (count, places)
  const Tensor strongest = strengths.amax(1);
  family.strongest = family.strongest.defined() ? at::maximum(family.strongest, strongest) : strongest;
  const Tensor given = strengths[0].contiguous();
  family.strengths.insert(family.strengths.end(), given.data_ptr<double>(),
                          given.data_ptr<double>() + given.size(0));
}

Family test_columns(const Tensor& columns, const Relabelling& relabelling,
                    std::vector<ColumnDifference>& found) {
  Family family;
  for (int64_t begin = 0; begin < columns.size(0); begin += columns_at_once) {
    const ColumnScores scores(columns.slice(0, begin, begin + columns_at_once), relabelling.first_rows());
    const int64_t count = scores.values.size(0);
    const Tensor z = relabelling.standardised(scores.values.flatten(0, 1));
    const Tensor strengths = column_strengths(z.reshape({relabelling.count(), count, column_scores}));
    add_places(family, strengths.amax(2));
    const Tensor kind = strengths[0].argmax(1);
    for (int64_t c = 0; c < count; ++c)
      found.push_back({.column = begin + c,
                       .p_value = 1,
                       .kind = kinds[kind[c].item<int64_t>()],
                       .distance = scores.distance[c],
                       .repeated_samples = scores.repeated_first[c],
                       .repeated_reference = scores.repeated_second[c]});
  }
  for (size_t c = 0; c < found.size(); ++c) found[c].p_value = corrected(family, family.strengths[c]);
  return family;
}

/// Location and spread scores of some columns (c, n + m): (2, c, n + m).
Tensor paired_scores(const Tensor& columns, int64_t first_rows) {
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < columns.size(0); begin += columns_at_once)
    parts.push_back(ColumnScores(columns.slice(0, begin, begin + columns_at_once), first_rows)
                        .values.slice(1, 0, 2)
                        .transpose(0, 1)
                        .contiguous());
  return at::cat(parts, 1);
}

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

/// All pairs of c columns, or those that depend most on each other in the two sets together (which does not
/// favour a labelling).
Pairs chosen_pairs(const Tensor& scores) {
  const int64_t c = scores.size(1);
  const Tensor flat = scores.flatten(0, 1);
  const Tensor products = flat.matmul(flat.t()).abs().reshape({2, c, 2, c}).amax({0, 2}).contiguous();
  Pairs pairs;
  for (int64_t i = 0; i < c; ++i)
    for (int64_t j = i + 1; j < c; ++j) pairs.emplace_back(i, j);
  if (static_cast<int64_t>(pairs.size()) <= most_pairs) return pairs;
  const double* product = products.data_ptr<double>();
  const auto dependence = [&](const auto& pair) { return product[pair.first * c + pair.second]; };
  std::nth_element(pairs.begin(), pairs.begin() + most_pairs, pairs.end(), [&](const auto& a, const auto& b) {
    return std::pair(-dependence(a), a) < std::pair(-dependence(b), b);
  });
  pairs.resize(most_pairs);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Family test_pairs(const Tensor& scores, const Pairs& pairs, const Relabelling& relabelling) {
  Family family;
  for (size_t begin = 0; begin < pairs.size(); begin += pairs_at_once) {
    const size_t end = std::min(pairs.size(), begin + pairs_at_once);
    std::vector<int64_t> first, second;
    for (size_t i = begin; i < end; ++i) {
      first.push_back(pairs[i].first);
      second.push_back(pairs[i].second);
    }
    // (2, 1, pairs, rows) times (1, 2, pairs, rows): the four products of location and spread.
    const Tensor a = scores.index_select(1, at::tensor(first, at::kLong)).unsqueeze(1);
    const Tensor b = scores.index_select(1, at::tensor(second, at::kLong)).unsqueeze(0);
    const Tensor z = relabelling.standardised((a * b).flatten(0, 2));
    add_places(family, normal_strength(z.square()).reshape({relabelling.count(), 4, -1}).amax(1));
  }
  return family;
}

/// Sets the verdict's account of pairs and returns the family; undefined where there is only one column.
Family find_pairs(const Tensor& columns, const Relabelling& relabelling, const Rng& rng, Verdict& verdict) {
  const int64_t d = columns.size(0);
  verdict.pairs_possible = d * (d - 1) / 2;
  if (d < 2) return {};
  Tensor which = at::arange(d, at::kLong);
  if (d > most_paired_columns)
    which = std::get<0>(rng.permutation(d).slice(0, 0, most_paired_columns).sort());
  const Tensor scores = paired_scores(columns.index_select(0, which), relabelling.first_rows());
  const Pairs pairs = chosen_pairs(scores);
  verdict.pairs_tested = static_cast<int64_t>(pairs.size());
  Family family = test_pairs(scores, pairs, relabelling);
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return family.strengths[a] > family.strengths[b]; });
  order.resize(std::min<size_t>(order.size(), pairs_listed));
  for (const size_t i : order)
    verdict.strongest_pairs.push_back({which[pairs[i].first].item<int64_t>(),
                                       which[pairs[i].second].item<int64_t>(),
                                       corrected(family, family.strengths[i])});
  return family;
}

Tensor repeated_row_strengths(const Tensor& pooled, const Relabelling& relabelling) {
  const Tensor group = groups_of_equal_rows(pooled);
  const Tensor times = at::bincount(group).index_select(0, group).to(at::kDouble).log();
  return normal_strength(relabelling.standardised(times.unsqueeze(0)).square()).squeeze(1);
}

struct Named {
  const char* name;
  Tensor shares;  ///< (count): the share of labellings at least as strong as each
  double Verdict::*p_value;
  double excess;  ///< of the given labels over the mean of all, in their deviations: decides between equal
                  ///< shares
};

/// The strictest of the tests under each labelling, and how often one as strict is met.
void decide(const std::vector<Named>& tests, const std::optional<ClassifierTest>& classifier,
            Verdict& verdict) {
  Tensor strictest;
  std::pair<double, double> smallest{2, 0};
  for (const Named& test : tests) {
    const double p = test.shares[0].item<double>();
    verdict.*test.p_value = p;
    strictest = strictest.defined() ? at::minimum(strictest, test.shares) : test.shares;
    const std::pair<double, double> strictness{p, -test.excess};
    if (strictness < smallest) verdict.decided_by = test.name;
    smallest = std::min(smallest, strictness);
  }
  verdict.p_value = shares_as_strong(-strictest)[0].item<double>();
  if (!classifier) return;
  const double z = (classifier->accuracy - 0.5) / classifier->standard_error;
  verdict.classifier = 0.5 * std::erfc(z / std::sqrt(2.0));
  const auto count = static_cast<double>(tests.size() + 1),
             together = count / static_cast<double>(tests.size());
  const double by_classifier = count * *verdict.classifier;
  verdict.p_value = std::min(1.0, together * verdict.p_value);
  if (by_classifier >= verdict.p_value) return;
  verdict.p_value = by_classifier;
  verdict.decided_by = "classifier";
}

}  // namespace

Verdict two_sample_verdict(const VerdictInput& sets, int64_t relabellings, const Rng& rng) try {
  const Relabelling relabelling(sets.x.size(0), sets.y.size(0), relabellings, rng.stream("relabellings"));
  Verdict verdict;
  verdict.samples = sets.x.size(0);
  verdict.reference = sets.y.size(0);
  verdict.relabellings = relabellings;
  const Tensor pooled = pooled_at_common_precision(sets.x, sets.y), columns = pooled.t().contiguous();
  std::vector<Named> tests;
  const auto add = [&](const char* name, const Tensor& strengths, double Verdict::*p_value) {
    const double excess = (strengths[0] - strengths.mean()).item<double>(),
                 spread = strengths.std().item<double>();
    tests.push_back({name, shares_as_strong(strengths), p_value, spread > 0 ? excess / spread : 0});
  };
  add("energy", energy_statistics(at::cat({sets.distance_x, sets.distance_y}), relabelling, sets.ranks),
      &Verdict::energy);
  add("columns", test_columns(columns, relabelling, verdict.by_column).strongest, &Verdict::columns);
  if (const Family pairs = find_pairs(columns, relabelling, rng.stream("pairs"), verdict);
      pairs.strongest.defined())
    add("pairs", pairs.strongest, &Verdict::pairs);
  add("repeated rows", repeated_row_strengths(pooled, relabelling), &Verdict::repeated_rows);
  decide(tests, sets.classifier, verdict);
  return verdict;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
