#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include "fokker/format/model.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/objective/denoising.h"
#include "fokker/train/checkpoints.h"
#include "train/small_trainer.h"

namespace fokker {

/// A small run that is saved as `fokker train` saves it.
class SavedRun : public ::testing::Test {
 protected:
  static std::unique_ptr<Trainer> trainer(int64_t steps) {
    const Tensor values = Rng(1).normal({40, 2}, {}, at::kDouble);
    const Dataset data{.values = values, .columns = {"a", "b"}, .source = "test"};
    return std::make_unique<Trainer>(
        std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 8, .depth = 1}, 3),
        DenoiserSpec{.process = VariancePreserving{}}, std::make_shared<DenoisingObjective>(),
        Split{data, data}, Normalisation::identity({2}),
        TrainOptions{.steps = steps, .batch = 8, .checkpoint_every = 1000}, Rng(7));
  }
  static void save(const Trainer& trainer, const fs::path& run) {
    Checkpoints(run / "checkpoints").save(trainer, 1);
    save_part(trainer, run);
  }
  static void save_part(const Trainer& trainer, const fs::path& run) {
    save_model(run, {.network = trainer.averaged_network().clone(),
                     .spec = trainer.spec(),
                     .normalisation = trainer.normalisation(),
                     .columns = {"a", "b"},
                     .label_names = {},
                     .training = {.steps = trainer.step()}});
  }
  static std::vector<std::string> hidden_in(const fs::path& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename().string().starts_with('.')) found.push_back(entry.path().string());
    return found;
  }

  const TestFolder folder_{place_in_memory()};
};

}  // namespace fokker
