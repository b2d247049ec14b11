#include "fokker/evaluate/table_likelihood.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"

namespace fokker {
namespace {

constexpr double noise_of_bound = 0.05;  // r

/// log N(x; 0, deviation^2), elementwise.
Tensor log_normal_density(const Tensor& x, double deviation) {
  return -0.5 * (x / deviation).square() - std::log(deviation) - 0.5 * std::log(2 * M_PI);
}

/// log sum_k p_k N(y; e_k, r^2 I) of a part that is not determined, y (n, dims).
Tensor log_filler_density(const TablePart& part, const Tensor& y, double r) {
  if (part.kind == TablePart::Kind::number) return log_normal_density(y.squeeze(1), std::sqrt(1 + r * r));
  const Tensor points = part_points(part).to(at::kDouble);
  const Tensor each = log_normal_density(y.unsqueeze(1) - points.unsqueeze(0), r).sum(2);
  return (each + at::tensor(part.prior, at::TensorOptions(at::kDouble)).log()).logsumexp(1);
}

bool is_among(const std::vector<int64_t>& columns, int64_t column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

/// Of every part the log of its decoder over its encoder, summed: (n).
Tensor decoded(const TableMap& map, const TableRows& rows, const Tensor& y, const TableHeads& heads,
               const Tensor& denoised, double r, const std::vector<int64_t>& given) {
  const TableLayout& layout = map.layout();
  const Tensor known = map.determined(rows);
  Tensor total = at::zeros({y.size(0)}, y.options());
  const std::vector<PartOffset> offsets = layout.offsets();
  for (size_t i = 0; i < layout.parts.size(); ++i) {
    const auto& [dim, level, discrete] = offsets[i];
    const TablePart& part = layout.parts[i];
    const Tensor own = y.narrow(1, dim, part.dims), clean = rows.x.narrow(1, dim, part.dims).to(at::kDouble);
    Tensor found = -log_normal_density(own - clean, r).sum(1);
    if (is_among(given, part.column)) {  // what the flow gives to a point under noise, and no more
      total += found;
      continue;
    }
    if (part.kind == TablePart::Kind::number) {
      const Tensor mean = denoised.narrow(1, dim, 1).to(at::kDouble);
      found = found + log_normal_density(clean - mean, r / std::sqrt(1 + r * r)).squeeze(1);
    } else {
      const Tensor log_p = heads.log_probabilities.narrow(1, level, part.levels);
      found = found + log_p.gather(1, rows.levels.narrow(1, discrete, 1)).squeeze(1).to(at::kDouble);
    }
    total += at::where(known.select(1, static_cast<int64_t>(i)), found, -log_filler_density(part, own, r));
  }
  return total;
}

}  // namespace

TableLikelihood table_likelihood(const TableDenoiser& told, const TableMap& map, const Tensor& cells,
                                 LikelihoodOptions options, const Rng& rng,
                                 const std::vector<int64_t>& given) try {
  const GradientMode off(false);
  const GaussianProcess& process = told.process();
  const double t =
      std::max(process.time_min(), process.schedule()->time_of_log_snr(-2 * std::log(noise_of_bound)));
  const double alpha = process.alpha(t), r = process.sigma(t) / alpha;
  const Rng places = rng.stream("cells");
  const TableRows rows = map.encode(cells, &places);
  const Tensor y = rows.x.to(at::kDouble) + r * rng.stream("noise").normal(rows.x.sizes(), {}, at::kDouble);
  options.time = t;
  TableDenoiser denoiser = told;
  if (!given.empty()) {
    denoiser = told.with(known_columns(rows.x.to(options.type), given, map.layout().columns), options.label);
    options.label = at::arange(cells.size(0), at::TensorOptions(at::kLong));
  }
  const Likelihood flow = log_likelihood(denoiser, alpha * y, options, rng.stream("probes"));
  const Tensor x = (alpha * y).to(options.type);
  const auto [heads, denoised] = denoiser.answer(x, t, options.label);
  const auto dims = static_cast<double>(map.layout().dims());
  return {.bound = flow.log_density + dims * std::log(alpha) +
                   decoded(map, rows, y, heads, denoised, r, given) + map.log_slope(rows, given),
          .probe_error = flow.probe_error,
          .evaluations = flow.evaluations,
          .rejected = flow.rejected,
          .exact = flow.exact};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
