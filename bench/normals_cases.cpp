// Standard normal numbers, float32, keyed by seed, stream, sample and step.
#include "case.h"
#include "fokker/core/random/rng.h"

namespace fokker::bench {
namespace {

class Normals final : public Work {
 public:
  explicit Normals(const Settings& settings)
      : rows_(settings.number("rows", 1000)), columns_(settings.number("columns", 1000)) {}
  void run() override { numbers_ = Rng(0).normal({rows_, columns_}, {.step = ++step_}); }
  /// Both sides draw from one law: the second and fourth moments agree within sampling error.
  Tensor result() const override { return at::stack({numbers_.square().mean(), numbers_.pow(4).mean() / 3}); }

 private:
  int64_t rows_, columns_;
  uint32_t step_ = 0;
  Tensor numbers_;
};

}  // namespace

std::vector<Case> normals_cases() {
  return {{"normals", [](const Settings& settings, const std::filesystem::path&) {
             return std::make_unique<Normals>(settings);
           }}};
}

}  // namespace fokker::bench
