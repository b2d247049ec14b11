#pragma once
#include "fokker/evaluate/metrics.h"
#include "fokker/report/report.h"

namespace fokker::report {

/// What several sections show: rows of data beside samples, in the user's units (images in [-1, 1]).
struct Material {
  const RunRecord& run;
  const ReportOptions& options;
  std::shared_ptr<const Denoiser> denoiser;  ///< as the sampler uses it: clipped for images
  std::vector<std::string> names;            ///< of columns, short enough to be shown
  Tensor samples;                            ///< (n, event...)
  std::vector<double> times;                 ///< of the frames
  Tensor states;                             ///< (frames, n, event...), see `scaled_states`
  bool scaled_states = false;  ///< states are divided by sqrt(1 + sigma^2), since the process only adds noise
  Tensor data = {};            ///< (m, event...), or undefined
  std::string data_name = {};  ///< what these rows are: "held-out rows"; fresh draws where the law is known
  std::optional<Comparison> comparison = {};

  bool images() const { return run.model.is_image(); }
  int64_t columns() const { return images() ? 0 : std::ssize(run.model.columns); }
  /// Rows as they are drawn: of a table with a schema the places of their cells.
  Tensor shown(const Tensor& values) const;
  bool has_data() const { return data.defined(); }
};
Material gather(const RunRecord& run, const ReportOptions& options);

/// At most `count` characters, with an ellipsis in place of what is cut.
std::string shorten(const std::string& text, size_t count);
/// Four significant digits, with a true minus sign.
std::string number(double value);
/// "1,280".
std::string thousands(int64_t value);
/// One panel of a figure as a figure of its own size.
plot::Figure panel(const plot::Figure& whole, int row, int column, int width, int height);

}  // namespace fokker::report
