#pragma once
#include "fokker/course/problem/small_networks.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/statistic.h"

namespace fokker::verify {

/// How far a denoiser is above the least possible unweighted loss: the mean over the steps (each `every`th of
/// them) of E|eps_theta(x_t, t) - E[eps | x_t]|^2, by quadrature.
double excess_loss(const Denoiser& denoiser, const LineMixture& data, const ChainTable& chain,
                   int64_t every = 1);

/// The loss on n fresh rows, each the mean over the same steps with data and noise of its own: on average the
/// least loss and the excess.
Statistic fresh_loss(const Denoiser& denoiser, const LineMixture& data, const ChainTable& chain,
                     int64_t every, int64_t n, const Rng& rng);

/// The least possible loss itself: the mean over the steps of 1 - E|E[eps | x_t]|^2.
double least_loss(const LineMixture& data, const ChainTable& chain, int64_t every = 1);

}  // namespace fokker::verify
