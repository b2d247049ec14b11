// A program of another project that links the core alone: draws normals through the installed library, checks
// values that do not depend on the machine, and is told that it has no reader of images.
#include <cmath>
#include <cstdio>

#include "fokker/core/error.h"
#include "fokker/core/random/rng.h"
#include "fokker/data/load.h"

namespace {

bool is_told_to_link_images() {
  try {
    fokker::load_data(".");
  } catch (const fokker::Error& error) {
    return std::string_view(error.what()).find("link it with fokker::image") != std::string_view::npos;
  }
  return false;
}

}  // namespace

int main() {
  using namespace fokker;
  if (!is_told_to_link_images()) {
    std::fprintf(stderr, "consumer: expected a folder of images to be refused\n");
    return 1;
  }
  const auto block = philox4x32({0, 0, 0, 0}, {0, 0});
  if (block[0] != 0x6627e8d5u) {
    std::fprintf(stderr, "consumer: expected philox4x32 0x6627e8d5 but received 0x%x\n", block[0]);
    return 1;
  }
  const Rng rng(0);
  const at::Tensor whole = rng.normal({100000}, {}, at::kDouble);
  const at::Tensor tail = rng.normal({1000}, {.first_sample = 99000}, at::kDouble);
  if (!at::equal(whole.slice(0, 99000), tail)) {
    std::fprintf(stderr, "consumer: expected the same noise whatever the split\n");
    return 1;
  }
  const double mean = whole.mean().item<double>();
  const double variance = whole.var().item<double>();
  // Five standard errors: 1/sqrt(n) of the mean and sqrt(2/n) of the variance.
  if (std::abs(mean) > 0.016 || std::abs(variance - 1) > 0.023) {
    std::fprintf(stderr, "consumer: expected N(0, 1) but received mean %g, variance %g\n", mean, variance);
    return 1;
  }
  std::printf("consumer: mean %+.4f, variance %.4f of %lld normals\n", mean, variance,
              static_cast<long long>(whole.numel()));
  return 0;
}
