// Models for programs that have no libtorch.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

class CliExportGraph : public CliInside {};

TEST_F(CliExportGraph, WritesArraysAndWhatToDoWithThem) {
  write_points(60);
  ASSERT_EQ(refusal("train --data points.csv --out run --steps 2 --batch 8 --quiet --no-report"), "");
  ASSERT_EQ(refusal("export run --out arrays --format npz --quiet"), "");
  const Json model = read_json(path("arrays/model.json"));
  EXPECT_EQ(model["columns"], (Json{"a", "b"}));
  EXPECT_EQ(model["times"].size(), 51u);
  EXPECT_EQ(model["graph"]["outputs"][1]["name"], "denoised");
  const auto arrays = load_npz(path("arrays/arrays.npz"));
  // Of standardised columns the map is their deviations and means, here of 1e-3 and about 1e5.
  EXPECT_NEAR(arrays.at("to_user.shift")[1].item<double>(), 1e5, 1);
  EXPECT_LT(arrays.at("to_user.matrix")[0][0].item<double>(), 2e-3);
  EXPECT_THAT(refusal("export run --out arrays --format npz --quiet"), HasSubstr("is not empty"));
  EXPECT_THAT(refusal("export run --out other --format pickle --quiet"),
              HasSubstr("expected one of diffusers, npz"));
}

TEST_F(CliExportGraph, RefusesATableOfLevels) {
  std::string text = "v,k\n";
  for (int i = 0; i < 60; ++i) text += fmt::format("{},{}\n", 0.37 * i * i, i % 3 == 0 ? "x" : "y");
  write("typed.csv", text);
  ASSERT_EQ(refusal("train --data typed.csv --out run --steps 2 --batch 8 --quiet --no-report"), "");
  EXPECT_THAT(refusal("export run --out arrays --format npz --quiet"),
              HasSubstr("a table with a schema has levels beside numbers"));
  EXPECT_FALSE(fs::exists(path("arrays")));
}

}  // namespace
}  // namespace fokker
