#include "fokker/data/dataset.h"

#include <unordered_set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Whether each place of `order` from `count` on has to go to training, as no row before it has its label.
Tensor needed_for_training(const Tensor& labels, const Tensor& order, int64_t count) {
  const Tensor ordered = labels.index_select(0, order).contiguous();
  const auto* label = ordered.data_ptr<int64_t>();
  std::unordered_set<int64_t> seen(label, label + count);
  Tensor needed = at::zeros({order.size(0)}, at::kBool);
  for (int64_t i = count; i < order.size(0); ++i)
    if (seen.insert(label[i]).second) needed[i] = true;
  return needed.narrow(0, count, order.size(0) - count);
}

}  // namespace

Tensor Dataset::rows(const Tensor& indices) const try {
  check(indices.dim() == 1 && indices.scalar_type() == at::kLong,
        "Dataset::rows: expected (k) int64 indices but received {} {}", shape_string(indices),
        at::toString(indices.scalar_type()));
  if (indices.numel() > 0) {
    const int64_t low = indices.min().item<int64_t>();
    const int64_t high = indices.max().item<int64_t>();
    check(low >= 0 && high < size(), "Dataset::rows: expected indices in 0..{} but received {}", size() - 1,
          low < 0 ? low : high);
  }
  return values.index_select(0, indices);
} catch (...) {
  detail::throw_as_error();
}

Dataset Dataset::subset(const Tensor& indices) const {
  return {.values = rows(indices),
          .columns = columns,
          .labels = labels.defined() ? labels.index_select(0, indices) : Tensor(),
          .label_names = label_names,
          .source = source,
          .notes = notes,
          .doubts = doubts,
          .label_column = label_column,
          .columns_named = columns_named,
          .schema = schema,
          .conditions = conditions.defined() ? conditions.index_select(0, indices) : Tensor(),
          .condition_columns = condition_columns,
          .condition_places = condition_places,
          .format = format};
}

Split split_rows(const Dataset& dataset, double training_fraction, const Rng& rng) try {
  check(training_fraction > 0 && training_fraction <= 1,
        "split: expected 0 < training_fraction <= 1 but received {}", training_fraction);
  const int64_t n = dataset.size();
  check(n > 0, "split: expected a dataset with rows but received none");
  auto count = static_cast<int64_t>(std::llround(static_cast<double>(n) * training_fraction));
  count = std::clamp<int64_t>(count, 1, std::max<int64_t>(1, n - 1));
  const Tensor order = rng.stream("split").permutation(n);
  Tensor training = order.slice(0, 0, count), held_out = order.slice(0, count);
  if (dataset.labels.defined()) {
    const Tensor needed = needed_for_training(dataset.labels, order, count);
    training = at::cat({training, held_out.masked_select(needed)});
    held_out = held_out.masked_select(needed.logical_not());
  }
  // Sorted, so that gathering rows walks memory forwards and files keep their order.
  training = std::get<0>(training.sort());
  held_out = std::get<0>(held_out.sort());
  return {.training = dataset.subset(training), .held_out = dataset.subset(held_out)};
} catch (...) {
  detail::throw_as_error();
}

std::vector<std::string> default_column_names(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

}  // namespace fokker
