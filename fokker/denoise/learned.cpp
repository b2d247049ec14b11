#include "fokker/denoise/learned.h"

#include <cmath>

#include "fokker/core/error.h"

namespace fokker {

LearnedDenoiser::LearnedDenoiser(std::shared_ptr<const Network> network, GaussianProcess process,
                                 Prediction prediction, Options options)
    : network_(std::move(network)), process_(std::move(process)), prediction_(prediction), options_(options) {
  check(network_ != nullptr, "LearnedDenoiser: expected a network but received none");
}

Estimate LearnedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const {
  const auto time_input = [&](double u) {
    if (options_.time_input.kind == TimeInput::Kind::quarter_log_sigma) return -0.125 * process_.log_snr(u);
    return options_.time_input.scale * u + options_.time_input.offset;
  };
  const Tensor time = t.is_scalar() ? at::full({1}, time_input(t.scalar()), x.options())
                                    : t.map(time_input, x).reshape({x.size(0)});
  Tensor input = x;
  if (options_.scale_input)
    input = x * t.map(
                    [&](double u) {
                      const double a = process_.alpha(u) * options_.sigma_data, s = process_.sigma(u);
                      return 1.0 / std::sqrt(a * a + s * s);
                    },
                    x);
  return Estimate(x, network_->forward(input, time, label), prediction_, process_, t);
}

}  // namespace fokker
