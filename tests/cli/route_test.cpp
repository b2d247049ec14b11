// A program and the command train by one route.
#include "cli/inside.h"
#include "fokker/data/load.h"
#include "fokker/train/train_into.h"

namespace fokker {
namespace {

class OneRoute : public CliInside {
 protected:
  /// The record of a run, with the time that it took made the same everywhere.
  static Json timeless(const fs::path& run) {
    Json json = read_json(run / "fokker.json");
    json["training"]["seconds"] = 1.5;
    return json;
  }
  static void save(const fs::path& run, const Json& json) {
    std::ofstream(run / "fokker.json") << json_text(json, 2) << "\n";
    fs::remove(run / "manifest.json");
  }
  static std::string page(const std::string& run) {
    EXPECT_EQ(refusal("report " + run + " --quiet"), "");
    return read_file(fs::path(run) / "report.html");
  }
};

TEST_F(OneRoute, GivesTheSameWeightsAndTheSamePage) {
  write_points(200);
  ASSERT_EQ(refusal("train --data points.csv --out command/run --steps 30 --batch 16 --width 16 --depth 1 "
                    "--normalise whiten --seed 5 --no-report --quiet"),
            "");
  Recipe recipe;
  recipe.mlp.width = 16;
  recipe.mlp.depth = 1;
  recipe.normalisation = NormalisationKind::whiten;
  recipe.options.steps = 30;
  recipe.options.batch = 16;
  train_into(RunFolder("program/run"), load_data("points.csv", {}), recipe, Rng(5));

  const char* weights = "network/diffusion_pytorch_model.safetensors";
  EXPECT_TRUE(read_file(fs::path("command/run") / weights) == read_file(fs::path("program/run") / weights));
  const Json command = timeless("command/run");
  Json program = timeless("program/run");
  // What the command line said of the file; the program says where it is.
  for (const char* key : {"path", "held_out", "seed", "label_column"})
    EXPECT_EQ(program["training"]["data_options"][key], command["training"]["data_options"][key]) << key;
  const std::string found = page("program/run");
  EXPECT_THAT(found, HasSubstr("bound on training rows"));  // the rows were found again
  EXPECT_THAT(found, HasSubstr("30 steps; done 30"));
  program["training"]["data_options"] = command["training"]["data_options"];
  EXPECT_EQ(program.dump(), command.dump());
  save("command/run", command);
  save("program/run", program);
  fs::remove("command/run/config.toml");
  EXPECT_TRUE(page("program/run") == page("command/run"));  // not EXPECT_EQ, which would print both
}

// `train` alone, and a model saved by hand: the page has the steps that were made.
TEST_F(OneRoute, AModelOfTheLibraryHasItsRealSteps) {
  Recipe recipe;
  recipe.mlp.width = 8;
  recipe.mlp.depth = 1;
  recipe.options.steps = 7;
  recipe.options.batch = 8;
  save_model("run", train({.values = Rng(1).normal({50, 2}, {}, at::kDouble), .columns = {"a", "b"}}, recipe,
                          Rng(3)));
  const std::string found = page("run");
  EXPECT_THAT(found, HasSubstr("7 steps; done 7"));
  EXPECT_THAT(found, HasSubstr("from data that is not recorded"));
}

}  // namespace
}  // namespace fokker
