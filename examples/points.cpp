// Train on points, sample, save: the whole library in a dozen lines.
#include <fokker/fokker.h>

int main() {
  using namespace fokker;
  const Rng rng(0);
  // Any table will do (load_data("points.csv")); this one is drawn from a known mixture.
  const Dataset data{.values = make_target("two-modes")->sample(1280, rng),
                     .columns = {"x", "y"},
                     .labels = {},
                     .label_names = {},
                     .source = "two-modes"};
  const Model model = train(data, {.options = {.steps = 500}}, rng);
  const auto denoiser = model.denoiser();
  const Tensor x =
      generate(*denoiser, Heun(), TimeGrid::uniform_log_snr(model.spec.process, 40), {1000, 2}, rng).x;
  save_csv("samples.csv", model.normalisation.invert(x), model.columns);
  save_model("model", model);
}
