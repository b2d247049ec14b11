#include "fokker/train/row_survey.h"

#include <future>

#include "fokker/core/runtime.h"
#include "fokker/core/stop.h"
#include "fokker/data/array_data.h"
#include "fokker/train/content_hash.h"

namespace fokker {
namespace {

/// Figures and hash of a part whose rows are on disk.
ColumnFigures survey_stored(const RowSource& rows, std::string& content) {
  ColumnFigures figures;
  ContentHash hash(rows);
  for_row_blocks_ahead(rows, rows_per_block(rows.event_shape().at(0)), [&](const Tensor& block, int64_t) {
    check_stop();
    auto hashed = std::async(std::launch::async, [&] { hash.add(block); });
    figures.add(block.to(at::kDouble));
    hashed.get();
  });
  content += hash.text();
  return figures;
}

}  // namespace

Tensor RowSurvey::low() const {
  return held_out.count() == 0 ? training.low() : at::minimum(training.low(), held_out.low());
}

Tensor RowSurvey::high() const {
  return held_out.count() == 0 ? training.high() : at::maximum(training.high(), held_out.high());
}

RowSurvey survey_rows(const Dataset& whole, const Split& parts) {
  RowSurvey survey;
  const bool stored = whole.stored != nullptr;
  const auto figures = [&](const Dataset& part) {
    return stored ? survey_stored(*part.stored, survey.content) : ColumnFigures::of(*part.source_of_rows());
  };
  survey.training = figures(parts.training);
  survey.held_out = figures(parts.held_out);
  if (!survey.training.finite() || !survey.held_out.finite())
    check_finite(*whole.source_of_rows(), whole.source.empty() ? "the data" : whole.source);
  return survey;
}

}  // namespace fokker
