#include "fokker/evaluate/table/tree.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>

#include "fokker/core/check.h"

namespace fokker {
namespace {

void add_to(HistogramBin& sum, const HistogramBin& bin) {
  sum.gradient += bin.gradient;
  sum.hessian += bin.hessian;
  sum.rows += bin.rows;
}

HistogramBin without(const HistogramBin& all, const HistogramBin& part) {
  return {all.gradient - part.gradient, all.hessian - part.hessian, all.rows - part.rows};
}

}  // namespace

double RegressionTree::value(const BinnedTable& table, int64_t row) const {
  const TreeNode* node = nodes.data();
  while (node->column >= 0) {
    const uint16_t bin = table.column(static_cast<size_t>(node->column))[row];
    node = &nodes[node->goes_left[bin] ? node->left : node->right];
  }
  return node->value;
}

TreeGrower::TreeGrower(const BinnedTable& table, const TreeOptions& options)
    : table_(table), options_(options), offset_(table.columns->size() + 1) {
  check(options.leaves >= 2 && options.rows > 0 && options.l2 >= 0 && options.hessian >= 0,
        "TreeGrower: expected leaves >= 2, rows > 0, l2 >= 0 and hessian >= 0");
  for (size_t c = 0; c < table.columns->size(); ++c)
    offset_[c + 1] = offset_[c] + static_cast<size_t>((*table.columns)[c].count);
}

void TreeGrower::sum_column(const Leaf& leaf, size_t column, Histogram& histogram) const {
  HistogramBin* bins = histogram.data() + offset_[column];
  const uint16_t* code = table_.column(column);
  const int32_t* row = rows_->data() + leaf.begin;
  const auto rows = static_cast<size_t>(leaf.rows());
  for (size_t i = 0; i < rows; ++i) {
    HistogramBin& bin = bins[code[row[i]]];
    bin.gradient += gradient_[i];
    bin.hessian += hessian_[i];
    ++bin.rows;
  }
}

/// Sums the leaf's histogram, takes it from the parent's for its larger sibling, and searches both.
void TreeGrower::sum_and_search(Leaf& leaf, Leaf* sibling, Histogram parent) {
  const auto rows = static_cast<size_t>(leaf.rows());
  for (size_t i = 0; i < rows; ++i) {
    const int32_t row = (*rows_)[leaf.begin + i];
    gradient_[i] = derivatives_->gradient[row];
    hessian_[i] = derivatives_->hessian[row];
  }
  leaf.histogram.assign(offset_.back(), {});
  if (sibling) sibling->histogram = std::move(parent);
  const size_t columns = table_.columns->size();
  std::vector<Split> of_leaf(columns), of_sibling(columns);
  const int64_t grain = std::max<int64_t>(1, 32'768 / (leaf.rows() + 512));
  at::parallel_for(0, static_cast<int64_t>(columns), grain, [&](int64_t begin, int64_t end) {
    for (auto c = static_cast<size_t>(begin); c < static_cast<size_t>(end); ++c) {
      sum_column(leaf, c, leaf.histogram);
      of_leaf[c] = best_split(leaf, c);
      if (!sibling) continue;
      for (size_t b = offset_[c]; b < offset_[c + 1]; ++b)
        sibling->histogram[b] = without(sibling->histogram[b], leaf.histogram[b]);
      of_sibling[c] = best_split(*sibling, c);
    }
  });
  for (size_t c = 0; c < columns; ++c) {
    if (of_leaf[c].gain > leaf.best.gain) leaf.best = of_leaf[c];
    if (sibling && of_sibling[c].gain > sibling->best.gain) sibling->best = of_sibling[c];
  }
}

void TreeGrower::consider(Split& best, const HistogramBin& left, const HistogramBin& total, int32_t cut,
                          bool missing_left) const {
  const HistogramBin right = without(total, left);
  if (!can_be_leaf(left) || !can_be_leaf(right)) return;
  const double gain = score(left) + score(right) - score(total);
  // What rounding alone gains is none.
  if (gain > best.gain && gain > 1e-9 * (score(left) + score(right)) + 1e-12)
    best = {.gain = gain, .cut = cut, .missing_left = missing_left};
}

TreeGrower::Split TreeGrower::best_of_order(const HistogramBin* bins, int32_t count,
                                            const HistogramBin& total) const {
  Split best;
  const HistogramBin& missing = bins[count - 1];
  for (const bool missing_left : {false, true}) {
    if (missing_left && missing.rows == 0) break;
    HistogramBin left;
    if (missing_left) left = missing;
    for (int32_t b = 0; b < count - 1; ++b) {
      if (bins[b].rows == 0) continue;
      add_to(left, bins[b]);
      consider(best, left, total, b + 1, missing_left);
    }
  }
  return best;
}

/// The bins that enough rows have, by their mean gradient, drawn towards 0 where they are small.
std::vector<int32_t> TreeGrower::by_gradient(const HistogramBin* bins, int32_t count) const {
  std::vector<int32_t> order;
  for (int32_t b = 0; b < count; ++b)
    if (static_cast<double>(bins[b].rows) >= options_.category_rows) order.push_back(b);
  std::vector<double> mean(static_cast<size_t>(count));
  for (const int32_t b : order) mean[b] = bins[b].gradient / (bins[b].hessian + options_.category_rows);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return mean[a] < mean[b]; });
  return order;
}

TreeGrower::Split TreeGrower::best_of_categories(const HistogramBin* bins, int32_t count,
                                                 const HistogramBin& total) const {
  Split best;
  HistogramBin left;
  const std::vector<int32_t> order = by_gradient(bins, count);
  for (size_t k = 0; k < order.size(); ++k) {
    add_to(left, bins[order[k]]);
    consider(best, left, total, static_cast<int32_t>(k) + 1, false);
  }
  return best;
}

TreeGrower::Split TreeGrower::best_split(const Leaf& leaf, size_t column) const {
  if (leaf.rows() < 2 * options_.rows) return {};
  const HistogramBin* bins = leaf.histogram.data() + offset_[column];
  const ColumnBins& meaning = (*table_.columns)[column];
  Split best = meaning.ordered ? best_of_order(bins, meaning.count, leaf.total)
                               : best_of_categories(bins, meaning.count, leaf.total);
  best.column = static_cast<int32_t>(column);
  return best;
}

/// Which bins of its best split's column go to the left.
std::vector<uint8_t> TreeGrower::sides(const Leaf& leaf) const {
  const auto column = static_cast<size_t>(leaf.best.column);
  const ColumnBins& meaning = (*table_.columns)[column];
  const HistogramBin* bins = leaf.histogram.data() + offset_[column];
  std::vector<uint8_t> left(static_cast<size_t>(meaning.count), 0);
  if (!meaning.ordered) {
    const std::vector<int32_t> order = by_gradient(bins, meaning.count);
    for (int32_t k = 0; k < leaf.best.cut; ++k) left[order[k]] = 1;
    return left;
  }
  // Bins that no row told of are shared by those beside them.
  int32_t next = leaf.best.cut;
  while (next < meaning.missing() && bins[next].rows == 0) ++next;
  const int32_t cut = next == meaning.missing() ? next : (leaf.best.cut + next) / 2;
  std::fill_n(left.begin(), cut, uint8_t{1});
  int64_t rows = 0;
  for (int32_t b = 0; b < leaf.best.cut; ++b) rows += bins[b].rows;
  // Where no row told, missing cells follow most rows.
  const bool told = bins[meaning.missing()].rows > 0;
  left.back() = told ? leaf.best.missing_left : 2 * rows >= leaf.rows();
  return left;
}

std::pair<TreeGrower::Leaf, TreeGrower::Leaf> TreeGrower::divide(Leaf& leaf, RegressionTree& tree) {
  const std::vector<uint8_t> left = sides(leaf);
  const uint16_t* code = table_.column(static_cast<size_t>(leaf.best.column));
  const auto begin = rows_->begin() + static_cast<int64_t>(leaf.begin);
  const auto middle = std::stable_partition(begin, rows_->begin() + static_cast<int64_t>(leaf.end),
                                            [&](int32_t row) { return left[code[row]] != 0; });
  const size_t cut = leaf.begin + static_cast<size_t>(middle - begin);
  const auto next = static_cast<int32_t>(tree.nodes.size());
  tree.nodes.resize(tree.nodes.size() + 2);
  tree.nodes[leaf.node] = {.column = leaf.best.column, .left = next, .right = next + 1, .goes_left = left};
  Leaf first{.begin = leaf.begin, .end = cut, .node = next};
  Leaf second{.begin = cut, .end = leaf.end, .node = next + 1};
  for (size_t i = first.begin; i < first.end; ++i)
    add_to(first.total, {derivatives_->gradient[(*rows_)[i]], derivatives_->hessian[(*rows_)[i]], 1});
  second.total = without(leaf.total, first.total);
  return {std::move(first), std::move(second)};
}

RegressionTree TreeGrower::grow(std::vector<int32_t>& rows, const RowDerivatives& derivatives, double rate,
                                std::vector<double>& prediction) {
  rows_ = &rows;
  derivatives_ = &derivatives;
  gradient_.resize(rows.size());
  hessian_.resize(rows.size());
  RegressionTree tree{.nodes = std::vector<TreeNode>(1)};
  std::vector<Leaf> leaves(1);
  leaves[0].end = rows.size();
  for (const int32_t row : rows)
    add_to(leaves[0].total, {derivatives.gradient[row], derivatives.hessian[row], 1});
  sum_and_search(leaves[0], nullptr, {});
  while (static_cast<int64_t>(leaves.size()) < options_.leaves) {
    const auto best = std::max_element(
        leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) { return a.best.gain < b.best.gain; });
    if (best->best.gain <= 0) break;
    auto [left, right] = divide(*best, tree);
    const bool left_is_smaller = left.rows() <= right.rows();
    sum_and_search(left_is_smaller ? left : right, left_is_smaller ? &right : &left,
                   std::move(best->histogram));
    *best = std::move(left);
    leaves.push_back(std::move(right));
  }
  for (const Leaf& leaf : leaves) {
    const double value = -rate * leaf.total.gradient / (leaf.total.hessian + options_.l2);
    tree.nodes[leaf.node].value = value;
    for (size_t i = leaf.begin; i < leaf.end; ++i) prediction[rows[i]] += value;
  }
  return tree;
}

}  // namespace fokker
