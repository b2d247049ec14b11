// The exact denoiser of data, as one side of a comparison: reads one line per repeat and prints the seconds
// of each.
//   exact_denoiser_side FOLDER ALPHA SIGMA [--write]
// reads data.npy and x.npy (float32) in FOLDER; --write leaves fokker.npy there.
#include <chrono>
#include <cstring>
#include <iostream>

#include "fokker/data/npy.h"
#include "fokker/target/gaussian_mixture.h"

int main(int count, char** arguments) {
  using namespace fokker;
  if (count < 4) {
    std::cerr << "exact_denoiser_side: expected FOLDER ALPHA SIGMA but received " << count - 1
              << " arguments\n";
    return 2;
  }
  const std::string folder = arguments[1];
  const double alpha = std::stod(arguments[2]), sigma = std::stod(arguments[3]);
  const GaussianMixture data = GaussianMixture::empirical(load_npy(folder + "/data.npy"));
  const Tensor x = load_npy(folder + "/x.npy");
  Tensor denoised = data.posterior(x, alpha, sigma).denoised;  // warm-up, on both sides
  if (count > 4 && std::strcmp(arguments[4], "--write") == 0) save_npy(folder + "/fokker.npy", denoised);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    denoised = data.posterior(x, alpha, sigma).denoised;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cout << "{\"seconds\": " << seconds.count() << "}" << std::endl;
  }
}
