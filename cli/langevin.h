#pragma once
#include <memory>

#include "fokker/sample/chain/markov_chain.h"

namespace fokker::cli {

/// Whether a SAMPLER of the command line is a Markov chain on one law: ula, mala or underdamped-langevin.
bool is_chain(const std::string& sampler);
std::vector<std::string> chain_names();

/// A chain's kernel with the time at which it runs on a process ("ula:time=0.1").
struct KernelChoice {
  std::unique_ptr<MarkovKernel> kernel;
  double time = -1;  ///< negative: the earliest of the process
};

/// "ula", "mala:step=0.3", "underdamped-langevin:friction=2"; step_size > 0 takes the place of step.
KernelChoice make_kernel(const std::string& spec, double step_size);

/// Rows where chains begin: a point "X,Y,...", or standard normal where the text is empty. Float64.
Tensor chain_start(const std::string& text, int64_t n, std::vector<int64_t> event, const Rng& rng);

}  // namespace fokker::cli
