// A residual MLP of 4 blocks of width 256 on points in the plane: training steps, and sampling by 200 steps
// of DDIM.
#include "case.h"
#include "diffusion_work.h"
#include "fokker/nn/mlp/mlp.h"

namespace fokker::bench {
namespace {

std::shared_ptr<Network> network_of(const Settings& settings) {
  auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2,
                                                  .width = settings.number("width", 256),
                                                  .depth = settings.number("depth", 4),
                                                  .zero_output = false},
                                       1);
  set_precision(*network, settings);
  return network;
}

std::unique_ptr<Work> sampling(const Settings& settings, const std::filesystem::path& folder) {
  return sampling_work(network_of(settings), settings.number("steps", 200), settings.number("n", 4096),
                       folder);
}

std::unique_ptr<Work> training(const Settings& settings, const std::filesystem::path& folder) {
  return training_work(network_of(settings),
                       {.batch = settings.number("batch", 256),
                        .repeat = settings.number("repeat", 20),
                        .rows = 20'000,
                        .reference_rows = 256},
                       folder);
}

}  // namespace

std::vector<Case> mlp_cases() {
  return {{"mlp-sampling", sampling}, {"mlp-training", training}};
}

}  // namespace fokker::bench
