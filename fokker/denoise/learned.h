#pragma once
#include <memory>

#include "fokker/denoise/denoiser.h"
#include "fokker/nn/network.h"

namespace fokker {

/// What a network receives as its time: scale * t + offset, or log(sigma/alpha)/4 (Karras et al. 2022,
/// c_noise). A chain's index i - 1 at t = i/N is {scale N, offset -1}, as diffusers and S3 number their
/// steps.
struct TimeInput {
  enum class Kind { time, quarter_log_sigma };
  Kind kind = Kind::time;
  double scale = 1.0;
  double offset = 0.0;
};

/// That input at the times of a batch: (n) or (1), of the type of x.
Tensor network_time(const TimeInput& input, const GaussianProcess& process, const Times& t, const Tensor& x);

/// A network with the process and prediction it was trained for. Copies share the network.
class LearnedDenoiser final : public Denoiser {
 public:
  struct Options {
    TimeInput time_input = {};
    /// Divide the network's input by sqrt(alpha^2 sigma_data^2 + sigma^2), its standard deviation (EDM's
    /// c_in).
    bool scale_input = false;
    double sigma_data = 1.0;
    /// The network is an energy, for EnergyDenoiser (see make_denoiser).
    bool energy = false;
  };

  LearnedDenoiser(std::shared_ptr<const Network> network, GaussianProcess process, Prediction prediction,
                  Options options);
  LearnedDenoiser(std::shared_ptr<const Network> network, GaussianProcess process, Prediction prediction)
      : LearnedDenoiser(std::move(network), std::move(process), prediction, Options()) {}

  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return process_; }
  std::shared_ptr<const Denoiser> frozen() const override;
  const Network& network() const { return *network_; }
  const Prediction& prediction() const { return prediction_; }
  const Options& options() const { return options_; }

 private:
  std::shared_ptr<const Network> network_;
  GaussianProcess process_;
  Prediction prediction_;
  Options options_;
};

}  // namespace fokker
