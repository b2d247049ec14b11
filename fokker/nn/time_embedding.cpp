#include "fokker/nn/time_embedding.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/kernel/vector/sinusoidal_features.h"

namespace fokker {
namespace {

void check_time(const Tensor& time, int64_t size) {
  check(time.defined() && time.dim() == 1 && time.is_floating_point(),
        "time embedding: expected floating-point times of shape (n) but received {}",
        time.defined() ? shape_string(time) : "an undefined tensor");
  check(size > 0, "time embedding: expected size > 0 but received {}", size);
}

}  // namespace

TimeFeatures parse_time_features(std::string_view name) {
  if (name == "raw") return TimeFeatures::raw;
  if (name == "fourier") return TimeFeatures::fourier;
  if (name == "sinusoidal") return TimeFeatures::sinusoidal;
  fail(ErrorKind::argument, "time embedding: expected raw, fourier or sinusoidal but received \"{}\"", name);
}

std::string time_features_name(TimeFeatures kind) {
  if (kind == TimeFeatures::raw) return "raw";
  return kind == TimeFeatures::fourier ? "fourier" : "sinusoidal";
}

Tensor fourier_frequencies(int64_t size, at::TensorOptions type) {
  return at::arange(1, size + 1, type) * (2 * std::numbers::pi);
}

Tensor fourier_embedding(const Tensor& time, int64_t size) {
  check_time(time, size);
  return (time.unsqueeze(1) * fourier_frequencies(size, time.options())).sin();
}

Tensor sinusoidal_frequencies(int64_t size, const SinusoidalOptions& options, at::TensorOptions type) {
  const int64_t half = size / 2;
  const double spacing = static_cast<double>(half) - options.frequency_shift;
  check(half > 0 && spacing > 0, "time embedding: expected size / 2 > frequency shift but received {} and {}",
        size, options.frequency_shift);
  return at::arange(half, type).mul_(-std::log(options.max_period) / spacing).exp_();
}

Tensor sinusoidal_embedding(const Tensor& time, int64_t size, const SinusoidalOptions& options) {
  check_time(time, size);
  const Tensor frequencies = sinusoidal_frequencies(size, options, time.options());
  const Tensor angle = time.unsqueeze(1) * frequencies;
  Tensor embedding = options.flip_sin_to_cos ? at::cat({angle.cos(), angle.sin()}, 1)
                                             : at::cat({angle.sin(), angle.cos()}, 1);
  return size % 2 ? at::constant_pad_nd(embedding, {0, 1}) : embedding;
}

Tensor sinusoidal_rows(const Tensor& time, const Tensor& frequencies, int64_t cosines) {
  const Tensor times = time.contiguous();
  const int64_t n = times.size(0), columns = frequencies.size(0);
  const Tensor out = at::empty({n, columns}, times.options());
  kernel::sinusoidal_features(times.data_ptr<float>(), n, frequencies.data_ptr<float>(), columns, cosines,
                              out.data_ptr<float>());
  return out;
}

Tensor sinusoidal_columns(int64_t size, const SinusoidalOptions& options) {
  const Tensor half = sinusoidal_frequencies(size, options, at::kFloat);
  return at::constant_pad_nd(at::cat({half, half}), {0, size % 2});  // an odd size ends with sin(0)
}

Tensor time_features(TimeFeatures kind, const Tensor& time, int64_t size) {
  if (kind == TimeFeatures::raw) return time.unsqueeze(1);
  return kind == TimeFeatures::fourier ? fourier_embedding(time, size) : sinusoidal_embedding(time, size);
}

}  // namespace fokker
