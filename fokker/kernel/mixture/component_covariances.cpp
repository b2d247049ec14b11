#include "fokker/kernel/mixture/component_covariances.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/kernel/mixture/component_covariances_rows.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker::kernel {
namespace {

/// (k, ...) -> (..., stride), component last; zero beyond the last.
Tensor as_columns(const Tensor& values) {
  const int64_t k = values.size(0), stride = (k + 15) / 16 * 16;
  const Tensor flat = values.reshape({k, -1});
  const Tensor columns = at::zeros({flat.size(1), stride}, values.options());
  columns.slice(1, 0, k).copy_(flat.t());
  return columns;
}

}  // namespace

ComponentMoments component_moments(const ComponentCovariances& mixture, const Tensor& gains,
                                   const Tensor& data_means, const Tensor& x) {
  const GradientMode no_gradients(false);
  const int64_t n = x.size(0), d = x.size(1), k = mixture.means.size(0);
  const Tensor means = as_columns(mixture.means), precisions = as_columns(mixture.precisions),
               gain = as_columns(gains), data = as_columns(data_means), rows = x.contiguous();
  const Tensor axes = mixture.axes.defined() ? as_columns(mixture.axes) : Tensor();
  const Tensor logits = at::full({means.size(1)}, -HUGE_VAL, x.options());
  logits.slice(0, 0, k).copy_(mixture.logits);
  const ComponentColumns columns{d,
                                 means.size(1),
                                 means.data_ptr<double>(),
                                 precisions.data_ptr<double>(),
                                 gain.data_ptr<double>(),
                                 data.data_ptr<double>(),
                                 axes.defined() ? axes.data_ptr<double>() : nullptr,
                                 logits.data_ptr<double>()};
  ComponentMoments result{at::empty({n}, x.options()), at::empty({n, d}, x.options()),
                          at::empty({n, d}, x.options()), at::empty({n, d}, x.options())};
  at::parallel_for(0, n, std::max<int64_t>(1, 4096 / (k * d)), [&](int64_t begin, int64_t end) {
    double* memory = scratch<double>(Scratch::own, columns.stride + component_working_size(d));
    const ComponentWork work{memory, memory + columns.stride};
    const auto row = [&](const Tensor& t, int64_t i) { return t.data_ptr<double>() + i * d; };
    for (int64_t i = begin; i < end; ++i) {
      ComponentSums sums{row(result.weighted_residual, i), row(result.explained, i), row(result.mean, i),
                         std::numeric_limits<double>::quiet_NaN()};
      const double* query = row(rows, i);
      if (std::all_of(query, query + d, [](double v) { return std::isfinite(v); }))
        add_components(columns, query, work, sums);
      else
        for (double* values : {sums.weighted_residual, sums.explained, sums.mean})
          std::fill_n(values, d, sums.log_total);
      result.log_total.data_ptr<double>()[i] = sums.log_total;
    }
  });
  return result;
}

ComponentMoments joined(const ComponentMoments& first, const ComponentMoments& second) {
  const Tensor &a = first.log_total, &b = second.log_total;
  // NaN is a row whose squares overflow in that part: the other part is nearer, or has none either.
  const Tensor total = at::where(a.isnan(), b, at::where(b.isnan(), a, at::logaddexp(a, b)));
  const auto both = [&](const Tensor& x, const Tensor& y) {
    const Tensor p = (a - total).exp().unsqueeze(1), q = (b - total).exp().unsqueeze(1);
    const Tensor none = at::zeros_like(x);
    return (at::where(p > 0, p * x, none) + at::where(q > 0, q * y, none))
        .masked_fill_(total.isnan().unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
  };
  return {total, both(first.weighted_residual, second.weighted_residual),
          both(first.explained, second.explained), both(first.mean, second.mean)};
}

}  // namespace fokker::kernel
