#include "fokker/kernel/mixture/mixture_softmax.h"

#include "fokker/kernel/mixture/mixture_softmax_prepared.h"

namespace fokker::kernel {

PackedMatrix SoftmaxComponents::Prepared::offsets(const CentredMeans& components) {
  const int64_t k = components.means.size(0), d = components.means.size(1);
  std::call_once(packed_once, [&] {
    const Tensor rounded = at::empty({k, d}, at::kFloat);
    const int64_t step = std::max<int64_t>(1, (int64_t{1} << 20) / d);
    for (int64_t begin = 0; begin < k; begin += step)
      rounded.slice(0, begin, begin + step)
          .copy_(components.means.slice(0, begin, begin + step) - panels->centre);
    packed = at::empty({packed_size(k, d)}, at::kFloat);
    pack_matrix({rounded.data_ptr<float>(), d, 1}, k, d, packed.data_ptr<float>());
  });
  return {packed.data_ptr<float>(), k, d};
}

SharedQueries queries_at_once(int64_t components) {
  constexpr int64_t most_logits = 45'000'000;  // 180 MB
  // Two groups at least, so that two threads have work; as many as stay in cache where there are few.
  const int64_t tiles = std::clamp<int64_t>(most_logits / components / (2 * tile_rows), 1, most_tiles);
  const int64_t group = tiles * tile_rows;
  return {group, std::clamp<int64_t>((int64_t{1} << 20) / components / group, 2, 6)};
}

void fill_plainly(const CentredMeans& components, const SoftmaxQueries& queries,
                  const std::vector<int64_t>& rows, MixtureSoftmax& result) {
  if (rows.empty()) return;
  const Tensor index = at::tensor(rows, at::kLong);
  const auto pick = [&](const Tensor& column) {
    return column.size(0) == 1 ? column : column.index_select(0, index);
  };
  const auto part = mixture_softmax_plain(
      components, {queries.x.index_select(0, index), pick(queries.alpha), pick(queries.variance)});
  result.anchor.index_copy_(0, index, part.anchor);
  result.log_total.index_copy_(0, index, part.log_total);
  result.offset.index_copy_(0, index, part.offset);
}

SoftmaxComponents::SoftmaxComponents(CentredMeans components, int64_t at_once)
    : components_(std::move(components)), at_once_(at_once), prepared_(std::make_unique<Prepared>()) {
  components_.means = components_.means.contiguous();
  components_.log_weights = components_.log_weights.contiguous();
  const int64_t k = components_.means.size(0);
  if (components_.means.size(1) <= low_dimension || k <= at_once_) return;
  for (int64_t begin = 0; begin < k; begin += at_once_)
    parts_.emplace_back(components_.slice(begin, begin + at_once_), at_once_);
}

SoftmaxComponents::SoftmaxComponents(SoftmaxComponents&&) noexcept = default;

SoftmaxComponents::~SoftmaxComponents() = default;

const SoftmaxComponents::Prepared& SoftmaxComponents::prepared() const {
  std::call_once(prepared_->once, [&] {
    if (components_.means.size(1) <= low_dimension)
      prepared_->leaves = std::make_unique<ComponentLeaves>(components_.means, components_.log_weights);
    else
      prepared_->panels = std::make_unique<ComponentPanels>(components_);
  });
  return *prepared_;
}

MixtureSoftmax SoftmaxComponents::sum_parts(const SoftmaxQueries& queries) const {
  MixtureSoftmax result;
  int64_t begin = 0;
  for (const SoftmaxComponents& components : parts_) {
    MixtureSoftmax part = components(queries);
    part.anchor.add_(begin);
    result = begin == 0 ? part : joined(components_, queries, result, part);
    begin += components.components_.means.size(0);
  }
  return result;
}

MixtureSoftmax SoftmaxComponents::operator()(const SoftmaxQueries& queries) const {
  const GradientMode no_gradients(false);
  if (!parts_.empty()) return sum_parts(queries);
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

}  // namespace fokker::kernel
