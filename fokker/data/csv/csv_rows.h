#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/csv/csv.h"

namespace fokker {

/// Rows of doubles in blocks, so that growing never copies.
class RowBlocks {
 public:
  explicit RowBlocks(int64_t width);
  double* add_row();
  int64_t rows() const { return rows_; }
  /// Moves the rows into one tensor without the column `dropped` (none: -1); each block is freed as soon as
  /// it is copied.
  Tensor take(const std::string& name, int64_t dropped = -1);

 private:
  int64_t width_;
  int64_t per_block_;
  int64_t rows_ = 0;
  std::vector<std::unique_ptr<double[]>> blocks_;
};

/// Which columns hold nothing but the number of their row, from 0 or from 1.
class RowCounters {
 public:
  explicit RowCounters(int64_t width) : width_(width) {}
  void follow(const double* row);
  /// What the column's first row holds, 0 or 1; -1 where it does not count.
  int64_t start_of(int64_t column) const;

 private:
  struct Counter {
    int64_t column;
    double start;
  };
  int64_t width_;
  int64_t rows_ = 0;
  std::vector<Counter> counters_;
};

/// Labels as text, each distinct one stored once.
class LabelTexts {
 public:
  void add(std::string_view text);
  int64_t size() const { return static_cast<int64_t>(codes_.size()); }
  /// Without the first `skipped`, as sorted_labels orders them.
  LabelColumn take(const std::string& name, int64_t skipped = 0) const;

 private:
  std::map<std::string, int32_t, std::less<>> code_;
  std::vector<int32_t> codes_;
};

}  // namespace fokker
