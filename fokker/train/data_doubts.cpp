#include "fokker/train/data_doubts.h"

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

/// Names the first column in which a few far rows make the standard deviation: divided by it, the others are
/// a point that is smaller than the noise of the smallest times.
std::string doubt_far_rows(const Dataset& data) {
  for (int64_t c = 0; c < data.values.size(1); ++c) {
    const Tensor x = data.values.select(1, c).to(at::kDouble);
    const Tensor some = std::get<0>(x.narrow(0, 0, std::min<int64_t>(x.size(0), 10'000)).sort());
    const double low = some[some.size(0) / 4].item<double>(),
                 high = some[some.size(0) * 3 / 4].item<double>();
    const Tensor away = x - low;
    const int64_t row = away.abs().argmax().item<int64_t>();
    const double reach = std::abs(away[row].item<double>());
    const double spread = reach > 0 ? reach * (away / reach).std(false).item<double>() : 0;
    if (!(high > low && high - low < 1e-3 * spread)) continue;
    return fmt::format(
        "{}: column '{}': the middle half of its rows spans {:.3g}, but its standard deviation is "
        "{:.3g}, for row {} (from 0) is {:.6g}: to the model the others are one point; leave far rows "
        "out, or train on their logarithm",
        source_name(data), shown(data.columns.at(static_cast<size_t>(c))), high - low, spread, row,
        x[row].item<double>());
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
  constexpr int64_t block = 65536;
  name_rows_of(source_name(data), [&] {
    for (int64_t first = 0; first < data.size(); first += block) {
      const Tensor rows = data.values.slice(0, first, std::min(first + block, data.size()));
      count_rows_from(first, [&] {
        check_finite_rows(normalisation.apply(rows, at::kFloat),
                          "it lies beyond the range of float32, in which the model computes");
      });
    }
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
