#pragma once
// A trainer small enough for a test, and a folder for its states.
#include <gtest/gtest.h>
#include <unistd.h>

#include "fokker/core/error.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/objective/denoising.h"
#include "fokker/train/trainer.h"
#include "folder.h"
#include "support.h"

namespace fokker {

namespace fs = std::filesystem;

/// For tests that save often, as each save syncs its files: in memory where there is such a place.
inline fs::path place_in_memory() {
  const fs::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

inline Dataset small_table(int64_t rows, uint64_t seed = 1) {
  const Tensor values = Rng(seed).normal({rows, 2}, {}, at::kDouble) * vector_of({0.5, 2.0}) + 3;
  return {.values = values, .columns = {"a", "b"}, .labels = {}, .label_names = {}, .source = "test"};
}

struct SmallRun {
  TrainOptions options{.steps = 20,
                       .batch = 16,
                       .learning_rate = 5e-3,
                       .warm_up = 3,
                       .log_every = 5,
                       .held_out_every = 10,
                       .checkpoint_every = 1000};
  uint64_t seed = 7;
  int64_t rows = 50;
  bool energy = false;
  std::shared_ptr<const Objective> objective = std::make_shared<DenoisingObjective>();
};

inline Trainer make_trainer(const SmallRun& s) {
  Split data{small_table(s.rows), small_table(10, 2)};
  Normalisation normalisation = Normalisation::fit(data.training.values, NormalisationKind::standardise);
  return Trainer(std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3),
                 {.process = VariancePreserving{}}, s.objective, std::move(data), std::move(normalisation),
                 s.options, Rng(s.seed));
}

inline Tensor weights(const Trainer& trainer) {
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : trainer.averaged_network().parameters()) flat.push_back(tensor.flatten());
  return at::cat(flat).clone();
}

}  // namespace fokker
