#include "fokker/train/defaults.h"

#include "fokker/core/check.h"

namespace fokker {

bool is_additive(const GaussianProcess& process) {
  return process.alpha(1.0) == 1.0;
}

int64_t class_count(const Dataset& data) {
  if (!data.labels.defined()) return 0;
  const int64_t low = data.labels.min().item<int64_t>(), high = data.labels.max().item<int64_t>();
  const int64_t classes = data.label_names.empty() ? high + 1 : std::ssize(data.label_names);
  // A vector is kept for each: ids such as 2e9 would fill any memory.
  check(low >= 0 && high < classes && classes <= std::max<int64_t>(data.size(), 65536),
        "class_count: expected labels that count from 0 but received {} to {}; name_labels numbers them so",
        low, high);
  return classes;
}

Split hold_out(const Dataset& data, double fraction, const Rng& rng) {
  check(fraction >= 0 && fraction < 1, "held-out: expected a fraction in [0, 1) but received {}", fraction);
  if (fraction * static_cast<double>(data.size()) < 0.5)
    return {data, data.subset(at::empty({0}, at::TensorOptions(at::kLong)))};
  return split_rows(data, 1 - fraction, rng);
}

Normalisation default_normalisation(const Dataset& data, NormalisationKind tables,
                                    const ColumnFigures* known) {
  if (data.is_images()) return Normalisation::pixels(data.event_shape(), data.type());
  return Normalisation::fit(*data.source_of_rows(), tables, known);
}

double model_spread(const Dataset& data, const Normalisation& normalisation) {
  constexpr int64_t most = 4096;
  const int64_t n = data.size(), kept = std::min(n, most);
  const Tensor chosen = at::floor_divide(at::arange(kept, at::kLong) * n, at::scalar_tensor(kept, at::kLong));
  return data_spread(normalisation.apply(data.rows(chosen), at::kDouble));
}

Json prior_record(const GaussianProcess& process, double spread, const PriorFit& fit) {
  Json json = fit.to_json();
  if (!fit.fits() && fit.time == 1) json["choose"] = fitting_process(process, spread);
  return json;
}

MlpOptions default_mlp() {
  return {.width = 128, .depth = 3, .time_scale = 10};
}

MlpOptions undecided_mlp() {
  MlpOptions mlp = default_mlp();
  mlp.width = mlp.depth = -1;
  return mlp;
}

MlpOptions default_table_mlp(double minutes, int64_t columns) {
  if (columns <= few_columns) return default_mlp();
  return {.width = minutes >= 30 ? 512 : 256, .depth = 3, .time_scale = 10};
}

MlpOptions fit_to(const Dataset& table, MlpOptions options) {
  options.dimension = table.event_shape()[0];
  options.classes = class_count(table);
  options.condition_size = table.conditions.defined() ? table.conditions.size(1) : 0;
  return options;
}

UNetOptions default_unet(const Dataset& images, int64_t channels) {
  const auto shape = images.event_shape();
  return UNetOptions::for_images(shape[0], shape[1], shape[2], channels, class_count(images),
                                 images.conditions.defined() ? images.conditions.size(1) : 0);
}

Prediction default_prediction(const GaussianProcess& process) {
  return is_additive(process) ? Prediction::edm() : Prediction::velocity();
}

void check_prediction(const Prediction& prediction, const GaussianProcess& process) {
  constexpr double least_alpha = 1e-7;  // of float32's resolution
  const bool of_noise =
      prediction.kind() == Prediction::Kind::noise || prediction.kind() == Prediction::Kind::score;
  check(
      !of_noise || process.alpha(1) >= least_alpha,
      "predict: {} ends in noise alone (alpha(1) = {:.2g}), where the {} says nothing of the data; expected "
      "velocity, data or edm",
      process.schedule()->config().value("type", std::string("the process")), process.alpha(1),
      prediction.name());
}

TimeSampling::Law default_times(const GaussianProcess& process) {
  return is_additive(process) ? TimeSampling::Law::log_normal : TimeSampling::Law::uniform;
}

std::string default_weighting(const GaussianProcess& process) {
  return is_additive(process) ? "edm" : "uniform";
}

DenoiserSpec default_denoiser(const GaussianProcess& process, bool images, bool energy) {
  DenoiserSpec spec{.process = process, .prediction = default_prediction(process)};
  if (energy) spec = DenoiserSpec::of_energy(process);
  if (is_additive(process)) {
    spec.time_input = {.kind = TimeInput::Kind::quarter_log_sigma};
    spec.scale_input = true;
  } else if (images) {
    // diffusers numbers the steps of a chain from 0, and the times of a flow, which has no steps, by 1000 t;
    // any other continuous process is seen as a chain of 1000.
    const int64_t steps = process.schedule()->chain_steps();
    spec.time_input = {.scale = steps > 0 ? static_cast<double>(steps) : 1000.0, .offset = -1.0};
    if (process.alpha(1.0) == 0) spec.time_input = {.scale = 1000.0};
  }
  return spec;
}

}  // namespace fokker
