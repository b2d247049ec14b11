#include "fokker/kernel/mixture_softmax.h"

#include <ATen/Parallel.h>

#include "fokker/kernel/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture_softmax_rows.h"

namespace fokker {
namespace {

constexpr int64_t tile = 16;  // queries that share a chunk of components while it is in cache

}  // namespace

void SoftmaxComponents::Prepared::transpose(const CentredMeans& components) {
  const int64_t k = components.means.size(0), stride = (k + 15) / 16 * 16;
  columns = at::zeros({components.means.size(1), stride}, at::kDouble);
  columns.slice(1, 0, k).copy_(components.means.t());
  column_weights = at::full({stride}, -HUGE_VAL, at::kDouble);
  column_weights.slice(0, 0, k).copy_(components.log_weights);
}

void SoftmaxComponents::Prepared::round(const CentredMeans& components) {
  const int64_t k = components.means.size(0), d = components.means.size(1);
  centre = components.means.mean(0);
  offsets = at::empty({k, d}, at::kFloat);
  half_norms = at::empty({k}, at::kFloat);
  const int64_t step = std::max<int64_t>(1, (int64_t{1} << 20) / d);
  for (int64_t begin = 0; begin < k; begin += step) {
    const Tensor part = components.means.slice(0, begin, begin + step) - centre;
    offsets.slice(0, begin, begin + step).copy_(part);
    half_norms.slice(0, begin, begin + step).copy_(part.square().sum(1).mul_(0.5));
  }
  largest_norm = std::sqrt(2 * half_norms.max().item<double>());
  single_weights = (components.log_weights - components.log_weights.max()).to(at::kFloat);
}

SoftmaxComponents::SoftmaxComponents(CentredMeans components)
    : components_(std::move(components)), prepared_(std::make_unique<Prepared>()) {
  components_.means = components_.means.contiguous();
}

SoftmaxComponents::~SoftmaxComponents() = default;

const SoftmaxComponents::Prepared& SoftmaxComponents::prepared() const {
  std::call_once(prepared_->once, [&] {
    const bool low = components_.means.size(1) <= low_dimension;
    low ? prepared_->transpose(components_) : prepared_->round(components_);
  });
  return *prepared_;
}

MixtureSoftmax SoftmaxComponents::operator()(const SoftmaxQueries& queries) const {
  const GradientMode no_gradients(false);
  const int64_t n = queries.x.size(0), d = components_.means.size(1);
  MixtureSoftmax result{at::zeros({n}, at::kLong), at::zeros({n}, at::TensorOptions(at::kDouble)),
                        at::zeros({n, d}, at::TensorOptions(at::kDouble))};
  SoftmaxQueries contiguous = queries;
  contiguous.x = queries.x.contiguous();
  if (n == 0) return result;
  if (d <= low_dimension)
    sum_low(contiguous, result);
  else
    sum_high(contiguous, result);
  return result;
}

void SoftmaxComponents::sum_low(const SoftmaxQueries& queries, MixtureSoftmax& result) const {
  const Prepared& ready = prepared();
  const int64_t n = queries.x.size(0), d = components_.means.size(1), stride = ready.columns.size(1);
  const MixtureColumns mixture{ready.columns.data_ptr<double>(), ready.column_weights.data_ptr<double>(), d,
                               stride};
  const Column alpha(queries.alpha), variance(queries.variance);
  const double* x = queries.x.data_ptr<double>();
  double *offset = result.offset.data_ptr<double>(), *log_total = result.log_total.data_ptr<double>();
  auto* anchor = result.anchor.data_ptr<int64_t>();
  at::parallel_for(0, (n + tile - 1) / tile, 1, [&](int64_t first, int64_t last) {
    std::vector<SoftmaxSums> sums;
    for (int64_t row = first * tile; row < std::min(last * tile, n); row += tile) {
      sums.clear();
      for (int64_t i = row; i < std::min(row + tile, n); ++i)
        sums.push_back(
            {.x = x + i * d, .alpha = alpha[i], .slope = alpha[i] / variance[i], .offset = offset + i * d});
      for (int64_t k = 0; k < stride; k += softmax_chunk)
        add_components(mixture, k, std::min(k + softmax_chunk, stride), sums.data(),
                       static_cast<int64_t>(sums.size()));
      for (size_t i = 0; i < sums.size(); ++i) {
        const auto at = row + static_cast<int64_t>(i);
        anchor[at] = sums[i].anchor;
        log_total[at] = std::log(sums[i].total);
        for (int64_t j = 0; j < d; ++j) sums[i].offset[j] /= sums[i].total;
        if (!all_finite(sums[i].x, d)) set_nan(result, at);
      }
    }
  });
}

}  // namespace fokker
