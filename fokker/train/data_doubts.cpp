#include "fokker/train/data_doubts.h"

#include <cmath>
#include <limits>

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

/// A column of which one row at least lies `far` from `low`, a quartile of its first rows, and none further.
struct FarColumn {
  int64_t column = 0;
  double low = 0, far = 0;
  int64_t row = -1;   ///< the first at that distance
  double spread = 0;  ///< the standard deviation
};

/// Fills in the row and the standard deviation, by two passes. Values are divided by the reach on the way:
/// nothing overflows.
void look_at(const RowSource& rows, FarColumn& c) {
  const auto n = static_cast<double>(rows.size());
  double sum = 0, squares = 0;
  const auto away = [&](const Tensor& block) { return block.select(1, c.column).to(at::kDouble) - c.low; };
  for_row_blocks(rows, block_of(rows), [&](const Tensor& block, int64_t first) {
    const Tensor distance = away(block);
    sum += (distance / c.far).sum().item<double>();
    const Tensor furthest = distance.abs().ge(c.far).nonzero();
    if (c.row < 0 && furthest.size(0) > 0) c.row = first + furthest[0].item<int64_t>();
  });
  for_row_blocks(rows, block_of(rows), [&](const Tensor& block, int64_t) {
    squares += (away(block) / c.far - sum / n).square().sum().item<double>();
  });
  c.spread = c.far * std::sqrt(squares / n);
}

/// Names the first column in which a few far rows make the standard deviation: divided by it, the others are
/// a point that is smaller than the noise of the smallest times.
std::string doubt_far_rows(const Dataset& data, const RowSurvey& survey) {
  const Rows rows = data.source_of_rows();
  const Tensor some =
      std::get<0>(rows->block(0, std::min<int64_t>(rows->size(), 10'000)).to(at::kDouble).sort(int64_t{0}));
  const Tensor quarter = some[some.size(0) / 4], middle = some[some.size(0) * 3 / 4] - quarter;
  const Tensor reach = at::maximum(survey.high() - quarter, quarter - survey.low());
  // No deviation exceeds the reach: of most columns it need not be known.
  const Tensor suspects = (middle.gt(0) & middle.lt(1e-3 * reach)).nonzero().squeeze(1);
  for (int64_t i = 0; i < suspects.size(0); ++i) {
    FarColumn c{.column = suspects[i].item<int64_t>()};
    c.low = quarter[c.column].item<double>();
    c.far = reach[c.column].item<double>();
    look_at(*rows, c);
    const double range = middle[c.column].item<double>();
    if (!(range < 1e-3 * c.spread)) continue;
    return fmt::format(
        "{}: column '{}': the middle half of its rows spans {:.3g}, but its standard deviation is "
        "{:.3g}, for row {} (from 0) is {:.6g}: to the model the others are one point; leave far rows "
        "out, or train on their logarithm",
        source_name(data), shown(data.columns.at(static_cast<size_t>(c.column))), range, c.spread, c.row,
        rows->block(c.row, 1)[0][c.column].to(at::kDouble).item<double>());
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

void check_rows(const Dataset& data, const Normalisation& normalisation, const RowSurvey& survey) {
  constexpr double room = std::numeric_limits<float>::max() / 2;
  if (normalisation.largest_between(survey.low(), survey.high()) < room) return;
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
                                     const Normalisation& normalisation,
                                     const std::optional<RowSurvey>& survey) {
  std::vector<std::string> doubts{doubt_identifiers(data)};
  if (!data.columns.empty() && survey) {
    if (asked != NormalisationKind::identity) doubts.push_back(doubt_far_rows(data, *survey));
    doubts.push_back(doubt_whitening(parts, asked, normalisation));
  }
  std::erase(doubts, "");
  return doubts;
}

}  // namespace fokker
