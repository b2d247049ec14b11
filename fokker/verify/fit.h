#pragma once
#include <memory>

#include "fokker/nn/mlp.h"
#include "fokker/train/trainer.h"
#include "fokker/verify/chain_table.h"
#include "fokker/verify/line_mixture.h"

namespace fokker::verify {

/// A noise model on the line, trained as a user would.
struct NoiseFit {
  MlpOptions network;
  LearnedDenoiser::Options denoiser = {};
  TrainOptions options = {};
};

/// Trains by the unweighted loss of S1 (step 5) over the chain's steps, and returns the denoiser with
/// averaged weights. The network and the order of everything depend on the rng alone.
std::shared_ptr<const Denoiser> train_noise(const NoiseFit& fit, const LineMixture& data,
                                            const ChainTable& chain, const Rng& rng);

/// How far a denoiser is above the least possible unweighted loss: the mean over the steps (each `every`th of
/// them) of E|eps_theta(x_t, t) - E[eps | x_t]|^2, by quadrature.
double excess_loss(const Denoiser& denoiser, const LineMixture& data, const ChainTable& chain,
                   int64_t every = 1);

/// The least possible loss itself: the mean over the steps of 1 - E|E[eps | x_t]|^2.
double least_loss(const LineMixture& data, const ChainTable& chain, int64_t every = 1);

}  // namespace fokker::verify
