#pragma once
#include <cstdint>
#include <vector>

#include "fokker/evaluate/table/binned_table.h"

namespace fokker {

struct TreeOptions {
  int64_t leaves = 31;        ///< at most
  int64_t rows = 20;          ///< in a leaf, at least
  double hessian = 1e-3;      ///< of a leaf, at least
  double l2 = 0;              ///< penalty of half the square of a leaf's value
  double category_rows = 10;  ///< a category that fewer rows have does not vote where categories are divided
};

struct TreeNode {
  int32_t column = -1;  ///< none: a leaf
  int32_t left = 0, right = 0;
  double value = 0;                     ///< of a leaf
  std::vector<uint8_t> goes_left = {};  ///< of each bin of the column
};

/// A regression tree; the first node is the root.
struct RegressionTree {
  std::vector<TreeNode> nodes;
  double value(const BinnedTable& table, int64_t row) const;
};

/// What a loss asks of each row of a table at its present predictions.
struct RowDerivatives {
  std::vector<double> gradient, hessian;
};

struct HistogramBin {
  double gradient = 0, hessian = 0;
  int64_t rows = 0;
};
using Histogram = std::vector<HistogramBin>;  ///< of all bins of all columns

/// Grows trees that decrease a loss to second order: a leaf's value is -G / (H + l2), and the leaf that gains
/// most is divided next (Chen and Guestrin 2016, equations 5 to 7; Ke et al. 2017). A histogram is summed for
/// the smaller of two leaves and subtracted for the larger. Missing cells go where they gain most. Categories
/// are divided in the order of their G / H, among which the best of all divisions is (Fisher 1958). Sums
/// belong to one thread each, so that trees do not depend on the number of threads.
class TreeGrower {
 public:
  TreeGrower(const BinnedTable& table, const TreeOptions& options);
  /// From those `rows`, which it sorts by leaf; each leaf's value is also added to its rows' `prediction`,
  /// times `rate`, as are the tree's.
  RegressionTree grow(std::vector<int32_t>& rows, const RowDerivatives& derivatives, double rate,
                      std::vector<double>& prediction);

 private:
  struct Split {
    double gain = 0;
    int32_t column = -1;
    int32_t cut = 0;  ///< bins on the left, in their order
    bool missing_left = false;
  };
  struct Leaf {
    size_t begin = 0, end = 0;  ///< among the rows
    int32_t node = 0;
    HistogramBin total = {};
    Histogram histogram = {};
    Split best = {};
    int64_t rows() const { return static_cast<int64_t>(end - begin); }
  };

  void sum_and_search(Leaf& leaf, Leaf* sibling, Histogram parent);
  void sum_column(const Leaf& leaf, size_t column, Histogram& histogram) const;
  Split best_split(const Leaf& leaf, size_t column) const;
  Split best_of_order(const HistogramBin* bins, int32_t count, const HistogramBin& total) const;
  Split best_of_categories(const HistogramBin* bins, int32_t count, const HistogramBin& total) const;
  void consider(Split& best, const HistogramBin& left, const HistogramBin& total, int32_t cut,
                bool missing_left) const;
  std::vector<int32_t> by_gradient(const HistogramBin* bins, int32_t count) const;
  std::vector<uint8_t> sides(const Leaf& leaf) const;
  std::pair<Leaf, Leaf> divide(Leaf& leaf, RegressionTree& tree);
  double score(const HistogramBin& sum) const {
    return sum.gradient * sum.gradient / (sum.hessian + options_.l2);
  }
  bool can_be_leaf(const HistogramBin& sum) const {
    return sum.rows >= options_.rows && sum.hessian >= options_.hessian;
  }

  const BinnedTable& table_;
  TreeOptions options_;
  std::vector<size_t> offset_;  ///< of a column's bins in a histogram
  std::vector<int32_t>* rows_ = nullptr;
  const RowDerivatives* derivatives_ = nullptr;
  std::vector<double> gradient_, hessian_;  ///< of a leaf's rows, in their order
};

}  // namespace fokker
