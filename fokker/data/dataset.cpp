#include "fokker/data/dataset.h"

#include <functional>
#include <unordered_map>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/random/permutation.h"

namespace fokker {
namespace {

/// Whether each of the rows `held_out` has to go to training, as no other row in training has its label.
Tensor needed_for_training(const Tensor& labels, const Tensor& held_out) {
  const Tensor all = labels.contiguous(), held = labels.index_select(0, held_out).contiguous();
  std::unordered_map<int64_t, int64_t> left;  // rows of each label that are in training
  for (int64_t i = 0; i < all.size(0); ++i) ++left[all.data_ptr<int64_t>()[i]];
  const auto* label = held.data_ptr<int64_t>();
  for (int64_t i = 0; i < held.size(0); ++i) --left[label[i]];
  Tensor needed = at::zeros({held.size(0)}, at::kBool);
  for (int64_t i = 0; i < held.size(0); ++i) {
    int64_t& count = left[label[i]];
    if (count == 0) needed[i] = true, count = 1;
  }
  return needed;
}

/// What of a dataset is not its rows, at some of them.
Dataset beside_rows(const Dataset& data, const std::function<Tensor(const Tensor&)>& some) {
  Dataset chosen = data;
  chosen.values = Tensor();
  chosen.stored = nullptr;
  if (data.labels.defined()) chosen.labels = some(data.labels);
  if (data.conditions.defined()) chosen.conditions = some(data.conditions);
  return chosen;
}

}  // namespace

Tensor Dataset::rows(const Tensor& indices) const try {
  return source_of_rows()->rows(indices);
} catch (...) {
  detail::throw_as_error();
}

Tensor Dataset::block(int64_t first, int64_t count) const try {
  return source_of_rows()->block(first, count);
} catch (...) {
  detail::throw_as_error();
}

Dataset Dataset::subset(const Tensor& indices) const {
  const Tensor known = stored ? Tensor() : rows(indices);
  Dataset chosen = beside_rows(*this, [&](const Tensor& all) { return all.index_select(0, indices); });
  chosen.values = known;
  if (stored) chosen.stored = rows_at(stored, indices);
  return chosen;
}

Dataset Dataset::without(const Tensor& indices) const {
  if (!stored) {
    Tensor kept = at::ones({size()}, at::kBool);
    return subset(kept.index_fill_(0, indices, 0).nonzero().squeeze(1));
  }
  Dataset rest = beside_rows(*this, [&](const Tensor& all) {
    Tensor kept = at::ones({size()}, at::kBool);
    return all.index_select(0, kept.index_fill_(0, indices, 0).nonzero().squeeze(1));
  });
  rest.stored = rows_but(stored, indices);
  return rest;
}

Dataset Dataset::loaded() const try {
  if (!stored) return *this;
  Dataset whole = *this;
  std::vector<int64_t> shape = {size()};
  for (const int64_t side : event_shape()) shape.push_back(side);
  whole.values = at::empty(shape, at::TensorOptions(type()));
  for_row_blocks(*stored, rows_per_block(event_size(shape)), [&](const Tensor& block, int64_t first) {
    whole.values.narrow(0, first, block.size(0)).copy_(block);
  });
  whole.stored = nullptr;
  return whole;
} catch (...) {
  detail::throw_as_error();
}

Split split_rows(const Dataset& dataset, double training_fraction, const Rng& rng) try {
  check(training_fraction > 0 && training_fraction <= 1,
        "split: expected 0 < training_fraction <= 1 but received {}", training_fraction);
  const int64_t n = dataset.size();
  check(n > 0, "split: expected a dataset with rows but received none");
  auto count = static_cast<int64_t>(std::llround(static_cast<double>(n) * training_fraction));
  count = std::clamp<int64_t>(count, 1, std::max<int64_t>(1, n - 1));
  Tensor held_out = RowOrder(rng.stream("split"), n).rows(count, n - count);
  if (dataset.labels.defined())
    held_out = held_out.masked_select(needed_for_training(dataset.labels, held_out).logical_not());
  // Sorted, so that gathering rows walks memory forwards and files keep their order.
  held_out = std::get<0>(held_out.sort());
  return {.training = dataset.without(held_out), .held_out = dataset.subset(held_out)};
} catch (...) {
  detail::throw_as_error();
}

std::vector<std::string> default_column_names(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

}  // namespace fokker
