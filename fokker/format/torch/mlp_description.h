#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "fokker/denoise/spec.h"
#include "fokker/nn/mlp/mlp.h"

namespace fokker {

/// A fully connected network as a person describes it, "2-256-256-1,elu,input=x+t": the sizes of its values
/// from input to output, the activation between them (silu, elu, relu, gelu, tanh, softplus), and how time
/// enters.
struct MlpDescription {
  /// How the first layer's columns are used.
  enum class Input {
    x_time,        ///< x+t: the sample, then the time
    time_x,        ///< t+x: the time, then the sample
    x,             ///< x: no time
    x_fourier,     ///< x+fourier: the sample, then sin(2 pi k t)
    x_sinusoidal,  ///< x+sinusoidal: the sample, then cosines and sines (sinusoidal_embedding)
  };
  /// What the time is that the network is told.
  enum class Time {
    usual,              ///< `index` for a chain, c_noise for EDM's output, `unit` otherwise
    index,              ///< time=index: the steps 0..N-1 of a chain, N those of the process or `steps=N`
    unit,               ///< time=unit: t in [0, 1]
    quarter_log_sigma,  ///< time=quarter-log-sigma: log(sigma/alpha)/4
  };
  std::vector<int64_t> sizes;
  std::string activation;
  Input input = Input::x_time;
  Time time = Time::usual;
  int64_t steps = 0;        ///< 0: those of the process
  double sigma_data = 0.5;  ///< sigma-data=: of EDM's output; Karras et al. (2022) have 0.5

  /// Argument error that names the part at fault and what was expected there.
  static MlpDescription parse(std::string_view text);

  int64_t dimension() const { return sizes.back(); }
  /// Shape (outputs, inputs) of layer i's weight, from 0.
  std::vector<int64_t> weight_shape(size_t i) const { return {sizes[i + 1], sizes[i]}; }
  size_t layers() const { return sizes.size() - 1; }
  /// The plain form of our own network with these layers.
  MlpOptions options() const;
  /// `note` says what time the network is told where that was not said.
  DenoiserSpec spec(const GaussianProcess& process, std::string_view predict, std::string& note) const;
};

}  // namespace fokker
