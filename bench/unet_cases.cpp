// A U-Net of about 2.5 million parameters (channels 40, 80, 160; attention in the middle) on images: a
// few training steps, at whose end the trainer evaluates the network once more to see that it is finite, and
// sampling by 10 steps of DDIM.
#include "case.h"
#include "diffusion_work.h"
#include "fokker/nn/unet/unet.h"

namespace fokker::bench {
namespace {

std::shared_ptr<Network> network_of(const Settings& settings) {
  const int64_t side = settings.number("side", 28);
  UNetOptions options = UNetOptions::for_images(settings.number("channels", 1), side, side, 40);
  options.zero_output = false;
  auto network = std::make_shared<UNet>(options, 1);
  set_precision(*network, settings);
  return network;
}

std::unique_ptr<Work> sampling(const Settings& settings, const std::filesystem::path& folder) {
  return sampling_work(network_of(settings), settings.number("steps", 10), settings.number("n", 32), folder);
}

std::unique_ptr<Work> training(const Settings& settings, const std::filesystem::path& folder) {
  return training_work(network_of(settings),
                       {.batch = settings.number("batch", 32),
                        .repeat = settings.number("repeat", 4),
                        .rows = 512,
                        .reference_rows = 8},
                       folder);
}

}  // namespace

std::vector<Case> unet_cases() {
  return {{"unet-sampling", sampling}, {"unet-training", training}};
}

}  // namespace fokker::bench
