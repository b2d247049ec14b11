#include "fokker/train/data_doubts.h"

#include <cmath>

#include "fokker/core/finite_rows.h"
#include "fokker/core/text/text.h"
#include "fokker/data/file_rows.h"
#include "fokker/data/labels.h"

namespace fokker {
namespace {

std::string source_name(const Dataset& data) {
  return data.source.empty() ? "the data" : data.source;
}

/// Hardly any class is seen twice where a column of identifiers was taken for labels.
std::string doubt_identifiers(const Dataset& data) {
  const int64_t classes = std::ssize(data.label_names);
  if (classes <= 2 || 2 * classes <= data.size()) return "";
  return fmt::format("{}: {} different labels in {} rows, {}: are they identifiers?", source_name(data),
                     classes, data.size(), list_labels(data.label_names));
}

int64_t block_of(const RowSource& rows) {
  return rows_per_block(rows.event_shape().at(0));
}

/// How far columns reach from a quartile of their first rows.
struct Reach {
  Tensor low, high;  ///< (d): quartiles of the first rows
  Tensor far, row;   ///< (d): the largest distance from `low`, and where
};

Reach reach_of(const RowSource& rows) {
  const Tensor some =
      std::get<0>(rows.block(0, std::min<int64_t>(rows.size(), 10'000)).to(at::kDouble).sort(int64_t{0}));
  Reach reach{.low = some[some.size(0) / 4],
              .high = some[some.size(0) * 3 / 4],
              .far = at::zeros({some.size(1)}, at::kDouble),
              .row = at::zeros({some.size(1)}, at::kLong)};
  for_row_blocks(rows, block_of(rows), [&](const Tensor& block, int64_t first) {
    const auto [far, row] = (block.to(at::kDouble) - reach.low).abs().max(0);
    const Tensor further = far.gt(reach.far);
    reach.row = at::where(further, row + first, reach.row);
    reach.far = at::where(further, far, reach.far);
  });
  return reach;
}

/// The standard deviation of a column whose values reach so far from `low`, by which it is divided on the
/// way: nothing overflows.
double spread_of(const RowSource& rows, int64_t column, double low, double far) {
  const auto n = static_cast<double>(rows.size());
  double sum = 0, squares = 0;
  const auto away = [&](const Tensor& block) {
    return (block.select(1, column).to(at::kDouble) - low) / far;
  };
  for_row_blocks(rows, block_of(rows),
                 [&](const Tensor& block, int64_t) { sum += away(block).sum().item<double>(); });
  for_row_blocks(rows, block_of(rows), [&](const Tensor& block, int64_t) {
    squares += (away(block) - sum / n).square().sum().item<double>();
  });
  return far * std::sqrt(squares / n);
}

/// Names the first column in which a few far rows make the standard deviation: divided by it, the others are
/// a point that is smaller than the noise of the smallest times.
std::string doubt_far_rows(const Dataset& data) {
  const Rows rows = data.source_of_rows();
  const Reach reach = reach_of(*rows);
  for (int64_t c = 0; c < reach.low.size(0); ++c) {
    const auto value = [&](const Tensor& columns) { return columns[c].item<double>(); };
    const double low = value(reach.low), high = value(reach.high), far = value(reach.far);
    // No deviation exceeds the reach: of most columns it need not be known.
    if (!(high > low && high - low < 1e-3 * far)) continue;
    const double spread = spread_of(*rows, c, low, far);
    if (!(high - low < 1e-3 * spread)) continue;
    const int64_t row = reach.row[c].item<int64_t>();
    return fmt::format(
        "{}: column '{}': the middle half of its rows spans {:.3g}, but its standard deviation is "
        "{:.3g}, for row {} (from 0) is {:.6g}: to the model the others are one point; leave far rows "
        "out, or train on their logarithm",
        source_name(data), shown(data.columns.at(static_cast<size_t>(c))), high - low, spread, row,
        rows->block(row, 1)[0][c].to(at::kDouble).item<double>());
  }
  return "";
}

std::string doubt_whitening(const Split& parts, NormalisationKind asked, const Normalisation& normalisation) {
  if (asked != NormalisationKind::whiten || normalisation.kind() == NormalisationKind::whiten) return "";
  return fmt::format(
      "normalise: {} rows of {} columns cannot be whitened (expected more than twice as many rows "
      "as columns, and 256 columns at most); each column is standardised instead",
      parts.training.size(), normalisation.dimension());
}

}  // namespace

void check_rows(const Dataset& data, const Normalisation& normalisation) {
  if (data.is_images()) return;
  const Rows all = data.source_of_rows();
  name_rows_of(source_name(data), [&] {
    for_row_blocks(*all, block_of(*all), [&](const Tensor& rows, int64_t first) {
      count_rows_from(first, [&] {
        check_finite_rows(normalisation.apply(rows, at::kFloat),
                          "it lies beyond the range of float32, in which the model computes");
      });
    });
  });
}

std::vector<std::string> data_doubts(const Dataset& data, const Split& parts, NormalisationKind asked,
                                     const Normalisation& normalisation) {
  std::vector<std::string> doubts{doubt_identifiers(data)};
  if (!data.columns.empty() && !data.is_images() && !data.schema) {
    if (asked != NormalisationKind::identity) doubts.push_back(doubt_far_rows(data));
    doubts.push_back(doubt_whitening(parts, asked, normalisation));
  }
  std::erase(doubts, "");
  return doubts;
}

}  // namespace fokker
