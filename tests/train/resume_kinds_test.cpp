// Every kind of model goes on to the bit: tables with a schema, conditions of columns and of vectors, labels.
#include "fokker/core/file/files.h"
#include "fokker/train/train_into.h"
#include "some_table.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

struct Kind {
  const char* name;
  Dataset data;
  std::vector<std::string> condition = {};
};

Dataset typed_table() {
  const auto schema = std::make_shared<const Schema>(some_schema());
  return {.values = some_cells(300, 5), .columns = schema->names(), .source = "test", .schema = schema};
}

std::vector<Kind> kinds() {
  Dataset labelled = small_table(60), vectors = small_table(60);
  labelled.labels = at::arange(60, at::kLong).remainder(3);
  vectors.conditions = Rng(4).normal({60, 2}, {}, at::kDouble);
  vectors.condition_columns = {"c0", "c1"};
  std::vector<Kind> all;
  all.push_back({.name = "a table with a schema", .data = typed_table()});
  all.push_back(
      {.name = "one given two of its columns", .data = typed_table(), .condition = {"real", "category"}});
  all.push_back({.name = "numbers given a column", .data = small_table(60), .condition = {"b"}});
  all.push_back({.name = "numbers given a vector", .data = vectors});
  all.push_back({.name = "labels", .data = labelled});
  return all;
}

Recipe recipe_of(const Kind& kind, std::function<bool()> should_stop = {}) {
  Recipe recipe;
  recipe.mlp.width = 8;
  recipe.mlp.depth = 1;
  recipe.condition = kind.condition;
  recipe.options.steps = 12;
  recipe.options.batch = 16;
  recipe.options.held_out_every = 4;
  recipe.options.keep_best = true;
  recipe.threads = 1;
  recipe.hooks.should_stop = std::move(should_stop);
  return recipe;
}

/// Everything that a model and its checkpoint consist of, but for how long it took.
std::string bytes_of(const RunFolder& run) {
  std::string bytes;
  for (const char* file : {"network/diffusion_pytorch_model.safetensors", "network/config.json",
                           "best/network/diffusion_pytorch_model.safetensors"})
    bytes += read_file(run.path() / file);
  for (const char* file : {"network", "average", "first_moment", "second_moment", "best"})
    bytes +=
        read_file(Checkpoints(run.path() / "checkpoints").all().back() / fmt::format("{}.safetensors", file));
  return bytes;
}

TEST(ResumeKinds, EndInTheBytesOfARunThatNothingStopped) {
  for (const Kind& kind : kinds()) {
    const TestFolder folder{place_in_memory()};
    const RunFolder whole(folder / "whole"), parts(folder / "parts");
    train_into(whole, kind.data, recipe_of(kind), Rng(3));
    int turns = 0;
    const auto stop_at_7 = [&] { return turns++ == 7; };
    const TrainedRun first = train_into(parts, kind.data, recipe_of(kind, stop_at_7), Rng(3));
    EXPECT_EQ(first.steps, 7) << kind.name;
    const TrainedRun second = train_into(parts, kind.data, recipe_of(kind), Rng(3), {.resume = true});
    EXPECT_EQ(second.first_step, 7) << kind.name;
    EXPECT_EQ(second.steps, 12) << kind.name;
    EXPECT_TRUE(bytes_of(parts) == bytes_of(whole)) << kind.name;
  }
}

// More steps or another rate are no other problem: the steps that were made stay, and the decay of the rate
// is that of the new budget.
TEST(ResumeKinds, GoOnWithMoreStepsAndAnotherRate) {
  const TestFolder folder{place_in_memory()};
  const Kind kind{.name = "numbers", .data = small_table(60)};
  const RunFolder run(folder / "run");
  train_into(run, kind.data, recipe_of(kind), Rng(3));
  Recipe longer = recipe_of(kind);
  longer.options.steps = 40;
  longer.options.learning_rate = 1e-4;
  longer.options.warm_up = 1;
  longer.options.log_every = 1;
  std::vector<TrainMetrics> lines;
  longer.hooks.on_metrics = [&](const TrainMetrics& line) { lines.push_back(line); };
  const TrainedRun second = train_into(run, kind.data, longer, Rng(3), {.resume = true});
  EXPECT_EQ(second.first_step, 12);
  EXPECT_EQ(second.steps, 40);
  ASSERT_EQ(lines.size(), 28u);
  const double done = 12.0 / 40;
  const double cosine = 0.5 * (1 + std::cos(M_PI * done));
  EXPECT_NEAR(lines[0].learning_rate, 1e-4 * (0.01 + 0.99 * cosine), 1e-12);
  EXPECT_EQ(load_model(run.path()).training.learning_rate, 1e-4);
}

}  // namespace
}  // namespace fokker
