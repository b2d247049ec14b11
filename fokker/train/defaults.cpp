#include "fokker/train/defaults.h"

namespace fokker {

bool is_additive(const GaussianProcess& process) {
  return process.alpha(1.0) == 1.0;
}

int64_t class_count(const Dataset& data) {
  return data.labels.defined() ? data.labels.max().item<int64_t>() + 1 : 0;
}

Normalisation default_normalisation(const Dataset& data, NormalisationKind tables) {
  if (data.is_images()) return Normalisation::pixels(data.event_shape(), data.values.scalar_type());
  return Normalisation::fit(data.values, tables);
}

MlpOptions default_mlp() {
  return {.width = 128, .depth = 3, .time_scale = 10};
}

MlpOptions fit_to(const Dataset& table, MlpOptions options) {
  options.dimension = table.event_shape()[0];
  options.classes = class_count(table);
  return options;
}

UNetOptions default_unet(const Dataset& images, int64_t channels) {
  const auto shape = images.event_shape();
  return UNetOptions::for_images(shape[0], shape[1], shape[2], channels, class_count(images));
}

std::unique_ptr<Network> default_network(const Dataset& data, uint64_t seed) {
  if (data.is_images()) return std::make_unique<UNet>(default_unet(data), seed);
  return std::make_unique<Mlp>(fit_to(data, default_mlp()), seed);
}

Prediction default_prediction(const GaussianProcess& process) {
  return is_additive(process) ? Prediction::edm() : Prediction::velocity();
}

TimeSampling::Law default_times(const GaussianProcess& process) {
  return is_additive(process) ? TimeSampling::Law::log_normal : TimeSampling::Law::uniform;
}

std::string default_weighting(const GaussianProcess& process) {
  return is_additive(process) ? "edm" : "uniform";
}

LearnedDenoiser::Options default_denoiser_options(const GaussianProcess& process, bool images, bool energy) {
  if (is_additive(process))
    return {
        .time_input = {.kind = TimeInput::Kind::quarter_log_sigma}, .scale_input = true, .energy = energy};
  if (!images) return {.time_input = {}, .energy = energy};
  // diffusers numbers the steps of a chain from 0; a continuous process is seen as a chain of 1000.
  const int64_t steps = process.schedule()->chain_steps();
  return {.time_input = {.scale = steps > 0 ? static_cast<double>(steps) : 1000.0, .offset = -1.0}};
}

}  // namespace fokker
