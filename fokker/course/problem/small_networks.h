#pragma once
#include <memory>

#include "fokker/nn/mlp/mlp.h"
#include "fokker/target/gaussian_mixture.h"
#include "fokker/train/trainer.h"

/// The small networks of the sources, trained in seconds: what is verified and what is drawn are the same.
namespace fokker {

/// A noise model eps_theta of points, or an energy where the network is one, trained as a user would.
struct NoiseFit {
  MlpOptions network;
  TimeInput time_input = {};
  TrainOptions options = {};
};

/// S3's network of four hidden layers of 256 ELUs that sees x_t and the index t - 1 in 0..199 as they are.
NoiseFit notebook_fit();

/// Trains by the unweighted loss of S1 (step 5) over the steps of a chain on 20,000 draws of the data, and
/// returns the denoiser with averaged weights. The network and the order of everything depend on the rng
/// alone.
std::shared_ptr<const Denoiser> train_noise(const NoiseFit& fit, const GaussianMixture& data,
                                            const GaussianProcess& process, int64_t steps, const Rng& rng);

/// S2's Figure 4.1: a score learned from points (n, 2) alone, by denoising score matching at one noise level
/// sigma, so that it is the score of the data smoothed by sigma. Read it at t = 1 of the process, Brownian
/// motion.
std::shared_ptr<const Denoiser> train_toy_score(const Tensor& points, double sigma, const Rng& rng);

}  // namespace fokker
