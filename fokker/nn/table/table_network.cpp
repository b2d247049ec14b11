#include "fokker/nn/table/table_network.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/layers.h"

namespace fokker {
namespace {

MlpOptions fit_to_space(const TableSpace& space, MlpOptions options) {
  check(!space.layout().parts.empty(), "TableNetwork: expected a layout with parts but it has none");
  check(!options.energy, "TableNetwork: expected no energy");
  options.dimension = space.inputs();
  options.output_dimension = space.outputs();
  return options;
}

/// The same with weights laid out once.
class FrozenTableNetwork final : public Forward, public TableFunction {
 public:
  FrozenTableNetwork(std::shared_ptr<const TableSpace> space, std::unique_ptr<const Forward> layers)
      : space_(std::move(space)), layers_(std::move(layers)) {}
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override {
    return denoised(x, time, label);
  }
  const TableSpace& space() const override { return *space_; }
  const Forward& layers() const override { return *layers_; }

 private:
  std::shared_ptr<const TableSpace> space_;
  std::unique_ptr<const Forward> layers_;
};

}  // namespace

TableNetwork::TableNetwork(TableLayout layout, MlpOptions options, uint64_t seed) try
    : space_(std::make_shared<const TableSpace>(std::move(layout))),
      layers_(std::make_unique<Mlp>(fit_to_space(*space_, std::move(options)), seed)) {
  for (const NamedTensor& p : layers_->parameters()) add_parameter(p.name, p.tensor);
} catch (...) {
  detail::throw_as_error();
}

Tensor TableNetwork::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("TableNetwork", x, time, label, event_shape(), classes() > 0);
  return denoised(x, time, label);
}

std::unique_ptr<const Forward> TableNetwork::frozen() const {
  std::unique_ptr<const Forward> layers = layers_->frozen(bf16_products());
  if (!layers) return nullptr;
  return std::make_unique<FrozenTableNetwork>(space_, std::move(layers));
}

std::unique_ptr<Network> TableNetwork::clone() const {
  auto copy = std::make_unique<TableNetwork>(space_->layout(), layers_->options());
  copy->copy_parameters(*this);
  return copy;
}

Json TableNetwork::config() const {
  return {{"_class_name", "FokkerTableNetwork"},
          {"layout", space_->layout().to_json()},
          {"layers", layers_->config()}};
}

std::unique_ptr<TableNetwork> TableNetwork::from_config(const Json& config, uint64_t seed) {
  const detail::JsonReader reader(config, "network configuration");
  return std::make_unique<TableNetwork>(
      TableLayout::from_json(reader.at("layout").json(), "network configuration"),
      MlpOptions::from_config(reader.at("layers").json()), seed);
}

}  // namespace fokker
