#include "fokker/objective/table.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"
#include "fokker/objective/noised_batch.h"

namespace fokker {
namespace {

/// A table's network, and how it is meant.
struct TableModelParts {
  const TableFunction& function;
  const DenoiserSpec& spec;
  bool bf16;
};

TableModelParts parts_of(const Denoiser& denoiser) {
  const auto* learned = dynamic_cast<const LearnedDenoiser*>(&denoiser);
  const auto* function = learned ? dynamic_cast<const TableFunction*>(&learned->network()) : nullptr;
  check(function != nullptr, "TableObjective: expected a denoiser with the network of a table");
  return {*function, learned->spec(), learned->network().bf16_products()};
}

/// What each part's loss counts in its row's, (n, parts) float32: of those that are not given their mean,
/// those of discrete parts divided by their entropy at log(sigma/alpha) (n) float64.
Tensor part_weights(const TableLayout& layout, const Tensor& log_ratio, const Tensor& mask) {
  const auto n = log_ratio.size(0), parts = std::ssize(layout.parts);
  Tensor weights = at::empty({n, parts}, at::TensorOptions(at::kFloat));
  auto* out = weights.data_ptr<float>();
  const auto* at = log_ratio.data_ptr<double>();
  const float* given = mask.defined() ? mask.data_ptr<float>() : nullptr;
  for (int64_t i = 0; i < n; ++i, out += parts) {
    double open = 0;
    for (int64_t p = 0; p < parts; ++p) {
      const TablePart& part = layout.parts[static_cast<size_t>(p)];
      const bool known = given && given[i * layout.columns + part.column] > 0;
      const double unit = part.kind == TablePart::Kind::number ? 1 : part.entropy_at(at[i]);
      out[p] = known ? 0.0f : static_cast<float>(1 / unit);
      open += known ? 0 : 1;
    }
    for (int64_t p = 0; p < parts; ++p) out[p] /= static_cast<float>(std::max(open, 1.0));
  }
  return weights;
}

}  // namespace

Tensor draw_given_columns(int64_t n, int64_t columns, double share, DrawPosition position, const Rng& rng) {
  if (share <= 0 || columns < 2) return {};
  const Tensor u = rng.stream("how many").uniform({n, 2}, position);
  const Tensor count =
      at::where(u.select(1, 0) < share, (u.select(1, 1) * static_cast<double>(columns - 1)).floor() + 1,
                at::zeros({n}, u.options()));
  const Tensor which = rng.stream("which").uniform({n, columns}, position);
  const Tensor end = std::get<0>(which.sort(1)).gather(1, count.to(at::kLong).unsqueeze(1));
  return (which < end).to(at::kFloat);
}

Tensor draw_given_beside(int64_t n, int64_t columns, const std::vector<int64_t>& always, double share,
                         DrawPosition position, const Rng& rng) {
  if (always.empty()) return draw_given_columns(n, columns, share, position, rng);
  std::vector<int64_t> others;
  for (int64_t j = 0; j < columns; ++j)
    if (std::find(always.begin(), always.end(), j) == always.end()) others.push_back(j);
  const Tensor drawn = draw_given_columns(n, std::ssize(others), share, position, rng);
  Tensor mask = at::ones({n, columns}, at::TensorOptions(at::kFloat));
  mask.index_copy_(1, at::tensor(others, at::TensorOptions(at::kLong)),
                   drawn.defined() ? drawn : at::zeros({n, std::ssize(others)}, mask.options()));
  return mask;
}

Tensor tell_missing(const TableLayout& layout, const Tensor& given, const Tensor& levels, double told,
                    DrawPosition position, const Rng& rng) {
  const Tensor tells = layout.tells_missing();
  if (told <= 0 || !tells.any().item<bool>()) return given;
  const int64_t n = levels.size(0), columns = layout.columns, numbers = layout.numbers();
  const Tensor mask =
      given.defined() ? given.clone() : at::zeros({n, columns}, at::TensorOptions(at::kFloat));
  const Tensor u = rng.stream("rows").uniform({n, 3}, position);
  const Tensor which = rng.stream("columns").uniform({n, columns}, position);
  const Tensor missing = at::zeros({n, columns}, at::TensorOptions(at::kBool));
  for (int64_t p = numbers; p < std::ssize(layout.parts); ++p)
    if (const TablePart& part = layout.parts[static_cast<size_t>(p)]; part.missing)
      missing.select(1, part.column).copy_(levels.select(1, p - numbers) == part.levels - 1);
  const Tensor chance = at::where((mask > 0).any(1), told, 0.2 * told);
  const Tensor share = at::where(u.select(1, 1) < 0.5, at::ones({n}, u.options()), u.select(1, 2));
  const Tensor named =
      (u.select(1, 0) < chance).unsqueeze(1) & (which < share.unsqueeze(1)) & (mask <= 0) & tells;
  mask.masked_fill_(named & missing, 1);
  mask.masked_fill_(named & missing.logical_not(), -1);
  return mask;
}

Tensor TableObjective::times(const GaussianProcess& process, const Batch& batch, const Rng& rng) const try {
  return batch_times(process, batch, options_.times, rng);
} catch (...) {
  detail::throw_as_error();
}

Tensor TableObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const TableModelParts model = parts_of(denoiser);
  const TableLayout& layout = model.function.space().layout();
  const int64_t n = batch.x0.size(0), numbers = layout.numbers();
  check(batch.levels.defined() || layout.discretes() == 0,
        "TableObjective: expected a batch with its levels");
  const GaussianProcess& process = model.spec.process;
  const Tensor times = this->times(process, batch, rng);
  const Tensor noise = batch_noise(batch, rng);
  Tensor log_ratio = at::empty({n}, at::TensorOptions(at::kDouble));
  for (int64_t i = 0; i < n; ++i)
    log_ratio.data_ptr<double>()[i] = -0.5 * process.log_snr(times.data_ptr<double>()[i]);
  const Tensor ratio = log_ratio.exp().to(batch.x0.options()).unsqueeze(1);
  const Tensor root = (1 + ratio.square()).sqrt();
  const Tensor x = (batch.x0 + ratio * noise) / root;
  TableCondition given{.mask = draw_given_beside(n, layout.columns, options_.always_given,
                                                 options_.given_share, batch.position(), rng.stream("given")),
                       .x0 = batch.x0};
  if (layout.discretes() > 0)
    given.mask = tell_missing(layout, given.mask, batch.levels.cpu(), options_.missing_told, batch.position(),
                              rng.stream("missing"));
  const Tensor weights = part_weights(layout, log_ratio, given.mask).to(x.options());
  if (given.mask.defined()) given.mask = given.mask.to(x.options());
  const Tensor target = (ratio * batch.x0.narrow(1, 0, numbers) - noise.narrow(1, 0, numbers)) / root;
  const Tensor levels = layout.discretes() > 0 ? batch.levels.to(x.device()) : Tensor();
  const Bf16Products products(model.bf16);
  const Tensor losses = model.function.space().losses(
      model.function.layers(), x, 0.25 * log_ratio.to(x.options()),
      drop_labels(batch.label, batch.dropout(options_.label_dropout), batch.position(), rng.stream("label")),
      given, {target, levels});
  return (losses * weights).sum(1);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
