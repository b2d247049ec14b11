// The exact denoiser of data: E[x_0 | x_t] under the empirical distribution of `data` points, at `queries`
// points x_t.
#include "case.h"
#include "fokker/core/random/rng.h"
#include "fokker/data/array/npy.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker::bench {
namespace {

class ExactDenoiser final : public Work {
 public:
  ExactDenoiser(const Settings& settings, const std::filesystem::path& folder)
      : alpha_(settings.real("alpha", 0.7)),
        sigma_(settings.real("sigma", 0.7)),
        data_(GaussianMixture::empirical(points(settings.number("data", 5000), settings, "data"))) {
    const Tensor data = data_.means().to(at::kFloat);
    const int64_t queries = settings.number("queries", 2000);
    const Tensor chosen = Rng(2).integers(queries, data.size(0));
    x_ = alpha_ * data.index_select(0, chosen) + sigma_ * points(queries, settings, "noise");
    save_npy(folder / "data.npy", data);
    save_npy(folder / "x.npy", x_);
  }
  void run() override { result_ = data_.posterior(x_, alpha_, sigma_).denoised; }
  Tensor result() const override { return result_; }

 private:
  static Tensor points(int64_t count, const Settings& settings, const char* purpose) {
    return Rng(1).stream(purpose).normal({count, settings.number("dimension", 2)});
  }
  double alpha_, sigma_;
  GaussianMixture data_;
  Tensor x_, result_;
};

}  // namespace

std::vector<Case> exact_denoiser_cases() {
  return {{"exact-denoiser", [](const Settings& settings, const std::filesystem::path& folder) {
             return std::make_unique<ExactDenoiser>(settings, folder);
           }}};
}

}  // namespace fokker::bench
