#pragma once
#include <numeric>

#include "fokker/core/random/rng.h"
#include "fokker/table/cells.h"
#include "fokker/table/infer.h"
#include "support.h"

namespace fokker {

/// A column of these cells, read as those of a file whose first row is on line 2.
inline InferredColumn inferred(const std::vector<std::string>& cells, const ColumnWish& wish = {},
                               const std::string& name = "c", char decimal = '.') {
  std::vector<int64_t> lines(cells.size());
  std::iota(lines.begin(), lines.end(), int64_t{2});
  ColumnBuilder builder(name, wish, decimal);
  for (const std::string& cell : cells) builder.add(cell);
  if (builder.needs_texts()) {
    builder = ColumnBuilder(name, wish, decimal, true);
    for (const std::string& cell : cells) builder.add(cell);
  }
  return builder.finish("t.csv", lines);
}

/// The numbers as texts.
inline std::vector<std::string> texts_of(const Tensor& values, const char* format = "{}") {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < values.size(0); ++i)
    texts.push_back(fmt::format(fmt::runtime(format), values[i].item<double>()));
  return texts;
}

/// That many of these texts in turn.
inline std::vector<std::string> repeated(const std::vector<std::string>& texts, int64_t rows) {
  std::vector<std::string> cells;
  for (int64_t i = 0; i < rows; ++i) cells.push_back(texts[static_cast<size_t>(i) % texts.size()]);
  return cells;
}

/// The column of these cells, which is not left out.
inline Column column_of(const std::vector<std::string>& cells, const ColumnWish& wish = {}) {
  const InferredColumn result = inferred(cells, wish);
  EXPECT_EQ(result.dropped, "");
  return result.column;
}

/// What the cells are refused with.
inline std::string refusal(const std::vector<std::string>& cells, const ColumnWish& wish = {}) {
  return refusal_of([&] { inferred(cells, wish); }, ErrorKind::input);
}

/// n whole numbers, evenly among low to high, as texts.
inline std::vector<std::string> whole(int64_t n, int64_t low, int64_t high) {
  const Tensor values = Rng(2).uniform({n}, {}, at::kDouble) * static_cast<double>(high - low + 1);
  std::vector<std::string> texts;
  for (int64_t i = 0; i < n; ++i)
    texts.push_back(fmt::format("{}", low + static_cast<int64_t>(values[i].item<double>())));
  return texts;
}

}  // namespace fokker
