#include "fokker/denoise/table.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

std::shared_ptr<const TableFunction> table_function(const std::shared_ptr<const Network>& network) {
  auto function = std::dynamic_pointer_cast<const TableFunction>(network);
  check(function != nullptr, "TableDenoiser: expected the network of a table but received {}",
        network ? network->class_name() : "none");
  return function;
}

}  // namespace

DenoiserSpec table_denoiser_spec(GaussianProcess process) {
  return {.process = std::move(process),
          .prediction = Prediction::data(),
          .time_input = {.kind = TimeInput::Kind::quarter_log_sigma},
          .scale_input = true};
}

TableCondition known_columns(const Tensor& x0, const std::vector<int64_t>& columns, int64_t of) {
  Tensor mask = at::zeros({x0.size(0), of}, x0.options());
  for (const int64_t column : columns) mask.select(1, column).fill_(1);
  return {std::move(mask), x0};
}

TableDenoiser::TableDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec, TableCondition given,
                             Tensor labels)
    : TableDenoiser(table_function(network), network->bf16_products(), std::move(spec), std::move(given),
                    std::move(labels)) {
  network_ = std::move(network);
}

TableDenoiser::TableDenoiser(std::shared_ptr<const TableFunction> function, bool bf16, DenoiserSpec spec,
                             TableCondition given, Tensor labels)
    : function_(std::move(function)),
      bf16_(bf16),
      spec_(std::move(spec)),
      given_(std::move(given)),
      labels_(std::move(labels)) {
  check(spec_.prediction.kind() == Prediction::Kind::data && spec_.scale_input && spec_.sigma_data == 1 &&
            spec_.time_input.kind == TimeInput::Kind::quarter_log_sigma,
        "TableDenoiser: expected table_denoiser_spec's specification but it predicts the {}", spec_.name());
}

TableDenoiser TableDenoiser::with(TableCondition given, Tensor labels) const {
  TableDenoiser other = *this;
  other.given_ = std::move(given);
  other.labels_ = std::move(labels);
  return other;
}

TableDenoiser::Inputs TableDenoiser::inputs(const Tensor& x, const Times& t, const Tensor& label) const {
  Inputs in{x * input_scale(spec_, x, t), network_time(spec_.time_input, spec_.process, t, x), label, given_};
  if (!given_.mask.defined() && !labels_.defined()) return in;
  check(label.defined(), "TableDenoiser: expected which of the given rows each row is");
  const auto rows = [&](const Tensor& all) { return all.defined() ? all.index_select(0, label) : all; };
  in.given = {rows(given_.mask), rows(given_.x0)};
  in.label = rows(labels_);
  return in;
}

TableDenoiser::Answer TableDenoiser::answer(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Bf16Products products(bf16_);
  const Inputs in = inputs(x, t, label);
  TableHeads heads = function_->heads(in.x, in.time, in.label, in.given);
  Tensor denoised = function_->space().denoised(heads, in.x, in.time, in.given);
  return {std::move(heads), std::move(denoised)};
} catch (...) {
  detail::throw_as_error();
}

Estimate TableDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const {
  const Bf16Products products(bf16_);
  const Inputs in = inputs(x, t, label);
  return Estimate(x, function_->denoised(in.x, in.time, in.label, in.given), spec_.prediction, spec_.process,
                  t);
}

std::shared_ptr<const Denoiser> TableDenoiser::frozen() const {
  if (!network_) return nullptr;
  std::shared_ptr<const Forward> frozen = network_->frozen();
  auto function = std::dynamic_pointer_cast<const TableFunction>(frozen);
  if (!function) return nullptr;
  return std::shared_ptr<const Denoiser>(
      new TableDenoiser(std::move(function), bf16_, spec_, given_, labels_));
}

}  // namespace fokker
