#pragma once
#include <string>
#include <string_view>

#include "fokker/core/tensor.h"

namespace fokker {

/// How a time becomes the features a network sees.
enum class TimeFeatures {
  raw,         ///< the time itself, one number
  fourier,     ///< sin(2 pi k t) for k = 1..K, for t in [0, 1]
  sinusoidal,  ///< cosines and sines at geometrically spaced frequencies
};

/// The kind of that name ("raw", "fourier", "sinusoidal"). Argument error otherwise.
TimeFeatures parse_time_features(std::string_view name);
std::string time_features_name(TimeFeatures kind);

/// (sin(2 pi t), sin(4 pi t), ..., sin(2 pi K t)) for time (n): (n, K). The embedding of the lecture slides
/// on denoising diffusion with phi = (sin(2 pi t/T), sin(4 pi t/T), ...) and the time already divided by T.
Tensor fourier_embedding(const Tensor& time, int64_t size);

struct SinusoidalOptions {
  bool flip_sin_to_cos = true;  ///< cosines first; false: sines first, as in DDPM
  double frequency_shift = 0;   ///< frequencies are exp(-log(max_period) i / (size/2 - frequency_shift))
  double max_period = 10000;
};

/// The positional embedding of the transformer (Vaswani et al. 2017, section 3.5) as used for diffusion times
/// (Ho et al. 2020, appendix B): sines and cosines of time * w_i for i < size/2; an odd size ends with a
/// zero. time (n) -> (n, size).
Tensor sinusoidal_embedding(const Tensor& time, int64_t size, const SinusoidalOptions& options = {});

/// The frequencies w of sinusoidal_embedding, (size / 2), and of fourier_embedding, (size).
Tensor sinusoidal_frequencies(int64_t size, const SinusoidalOptions& options, at::TensorOptions type);
Tensor fourier_frequencies(int64_t size, at::TensorOptions type);

/// Sinusoidal features of time (n) at frequencies (columns), float32 on the CPU, -> (n, columns): the first
/// `cosines` are cosines and the others sines. Unlike libtorch's, a row's bits depend on nothing but its time
/// (kernel/vector/sinusoidal_features.h).
Tensor sinusoidal_rows(const Tensor& time, const Tensor& frequencies, int64_t cosines);

/// Columns of frequencies whose features are a sinusoidal embedding with cosines first: each twice, and 0
/// where `size` is odd.
Tensor sinusoidal_columns(int64_t size, const SinusoidalOptions& options);

/// Features of time (n): (n, 1) for raw, otherwise (n, size).
Tensor time_features(TimeFeatures kind, const Tensor& time, int64_t size);

}  // namespace fokker
