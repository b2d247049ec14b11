#pragma once
#include "case.h"
#include "fokker/nn/network.h"

namespace fokker::bench {

/// DDIM on equal steps of t from noise (n, event...) under the variance-preserving process; the result is the
/// samples.
std::unique_ptr<Work> sampling_work(std::shared_ptr<Network> network, int64_t steps, int64_t n,
                                    const std::filesystem::path& folder);

/// As precision=fp32 (the default), bf16 or auto says: what training and sampling with it would choose.
void set_precision(Network& network, const Settings& settings);

struct TrainingOptions {
  int64_t batch, repeat, rows, reference_rows;
};

/// `repeat` steps of the trainer itself, with everything that it does in one; the result is the loss, and the
/// gradient of the first parameter, at times and noise that the peer is given.
std::unique_ptr<Work> training_work(std::shared_ptr<Network> network, const TrainingOptions& options,
                                    const std::filesystem::path& folder);

}  // namespace fokker::bench
