#pragma once
#include <memory>

#include "fokker/denoise/denoiser.h"
#include "fokker/denoise/spec.h"
#include "fokker/nn/network.h"

namespace fokker {

/// A network with what it means. Copies share the network.
class LearnedDenoiser final : public Denoiser {
 public:
  /// Argument error for the specification of an energy.
  LearnedDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec);

  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return spec_.process; }
  std::shared_ptr<const Denoiser> frozen() const override;
  const Network& network() const { return *network_; }
  const DenoiserSpec& spec() const { return spec_; }

 private:
  std::shared_ptr<const Network> network_;
  DenoiserSpec spec_;
};

}  // namespace fokker
