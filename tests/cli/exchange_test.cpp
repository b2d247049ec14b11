// Models of other programs, both ways.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"
#include "fokker/format/safetensors.h"

namespace fokker {
namespace {

class CliExchange : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    save_npy(path("images.npy"), Rng(1).uniform({24, 1, 8, 8}, {}) * 2 - 1);
    ASSERT_EQ(
        refusal("train --data images.npy --process ddpm --steps 2 --batch 4 --out run --no-report --quiet"),
        "");
  }
  static void change(const std::string& file, const std::string& key, const Json& value) {
    Json config = read_json(file);
    config[key] = value;
    write_file_atomically(file, config.dump());
  }
};

TEST_F(CliExchange, AnImportedRunWorksLikeOneOfOurOwn) {
  ASSERT_EQ(refusal("export run --out pipeline --quiet"), "");
  EXPECT_FALSE(fs::exists("pipeline/fokker.json"));
  change("pipeline/scheduler/scheduler_config.json", "_class_name", "DDIMScheduler");
  change("pipeline/scheduler/scheduler_config.json", "clip_sample", false);
  const Answer imported = answer("import pipeline --out imported");
  EXPECT_EQ(imported.json["event_shape"], Json({1, 8, 8}));
  EXPECT_EQ(imported.json["sampler"], "ddim");
  EXPECT_EQ(imported.json["grid"], "leading");
  EXPECT_EQ(imported.json["clip"], 0);
  // By the sampler and the grid that it came with, or by another.
  const Answer drawn = answer("sample imported --n 2 --steps 4 --out a.npy");
  EXPECT_THAT(drawn.said, HasSubstr("no --sampler: ddim on the grid leading"));
  EXPECT_EQ(
      refusal("sample imported --n 2 --steps 4 --sampler ddim --grid leading --clip 0 --out b.npy --quiet"),
      "");
  EXPECT_EQ(refusal("sample run --n 2 --steps 4 --sampler ddim --grid leading --clip 0 --out c.npy --quiet"),
            "");
  EXPECT_EQ(read_file("a.npy"), read_file("b.npy"));
  EXPECT_EQ(read_file("a.npy"), read_file("c.npy"));
  save_npy(path("few.npy"), Rng(2).uniform({2, 1, 8, 8}, {}) * 2 - 1);
  EXPECT_EQ(
      refusal("likelihood imported --data few.npy --rtol 0.1 --atol 0.1 --divergence hutchinson --quiet"),
      "");
  EXPECT_EQ(refusal("encode imported --data few.npy --out z.npy --rtol 0.1 --atol 0.1 --quiet"), "");
}

TEST_F(CliExchange, WhatIsHandedBackIsWhatCame) {
  ASSERT_EQ(refusal("export run --out pipeline --quiet"), "");
  change("pipeline/scheduler/scheduler_config.json", "note", "of another program");
  ASSERT_EQ(refusal("import pipeline --out imported --quiet"), "");
  ASSERT_EQ(refusal("export imported --out back --quiet"), "");
  for (const char* file : {"unet/config.json", "scheduler/scheduler_config.json", "model_index.json"})
    EXPECT_EQ(read_json(path("back") + "/" + file), read_json(path("pipeline") + "/" + file)) << file;
  const char* weights = "unet/diffusion_pytorch_model.safetensors";
  EXPECT_EQ(read_file(fs::path("back") / weights), read_file(fs::path("pipeline") / weights));
}

TEST_F(CliExchange, NothingOfAReplacedRunIsLeft) {
  ASSERT_EQ(refusal("export run --out pipeline --quiet"), "");
  EXPECT_TRUE(fs::exists("run/metrics.jsonl") && fs::exists("run/checkpoints"));
  EXPECT_NE(refusal("import pipeline --out run --quiet"), "");
  EXPECT_TRUE(fs::exists("run/metrics.jsonl"));
  ASSERT_EQ(refusal("import pipeline --out run --overwrite --quiet"), "");
  EXPECT_FALSE(fs::exists("run/metrics.jsonl") || fs::exists("run/checkpoints"));
  EXPECT_TRUE(read_json("run/fokker.json")["training"].contains("imported"));
}

TEST_F(CliExchange, TrainingGoesOnFromARun) {
  EXPECT_EQ(
      refusal(
          "train --data images.npy --from run --out tuned --steps 1 --batch 4 --learning-rate 1e-12 --ema 0 "
          "--no-report --quiet"),
      "");
  const char* weights = "unet/diffusion_pytorch_model.safetensors";
  const auto before = load_safetensors(fs::path("run") / weights).tensors,
             after = load_safetensors(fs::path("tuned") / weights).tensors;
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(at::allclose(before[i].tensor, after[i].tensor, 0, 1e-9)) << before[i].name;
  EXPECT_EQ(read_json("tuned/fokker.json")["process"], read_json("run/fokker.json")["process"]);
  EXPECT_THAT(refusal("train --data images.npy --from run --process vp-cosine --out other --quiet"),
              HasSubstr("process: the run of --from brings its own"));
}

// A table of classes none of which stands for none: each row is told its own.
TEST_F(CliExchange, ANetworkOfClassesAloneIsUsedWithLabels) {
  save_npy(path("labels.npy"), at::arange(24, at::kLong).remainder(3));
  ASSERT_EQ(
      refusal("train --data images.npy --labels labels.npy --process ddpm --steps 2 --batch 4 --out own "
              "--no-report --quiet"),
      "");
  ASSERT_EQ(refusal("export own --out pipeline --quiet"), "");
  change("pipeline/unet/config.json", "unconditional_class", false);
  ASSERT_EQ(refusal("import pipeline --out every --quiet"), "");
  save_npz(path("few.npz"),
           {{"x", Rng(2).uniform({2, 1, 8, 8}, {}) * 2 - 1}, {"labels", at::tensor({2, 0}, at::kLong)}});
  const std::string loose = " --rtol 0.1 --atol 0.1 --quiet ";
  EXPECT_EQ(refusal("likelihood every --data few.npz --divergence hutchinson" + loose), "");
  EXPECT_EQ(refusal("encode every --data few.npz --out z.npy" + loose), "");
  const std::string tune = " --steps 2 --batch 8 --no-report --quiet ";
  EXPECT_EQ(refusal("train --data images.npy --labels labels.npy --from every --out tuned" + tune), "");
  EXPECT_THAT(refusal("train --data images.npy --from every --out other" + tune),
              HasSubstr("expected rows with labels"));
  EXPECT_EQ(refusal("report every --data images.npy --labels labels.npy --out report.html --quiet"), "");
  EXPECT_THAT(refusal("report every --data images.npy --out other.html --quiet", ErrorKind::input),
              HasSubstr("expected labels"));
}

TEST_F(CliExchange, TheClassThatStandsForNoneIsNamed) {
  const std::string folder =
      std::string(FOKKER_SOURCE_DIR) + "/tests/format/diffusers/fixtures/folder-classes";
  ASSERT_EQ(refusal("import " + folder + " --out every --quiet"), "");
  ASSERT_EQ(refusal("import " + folder + " --out named --unconditional 3 --quiet"), "");
  const std::string sample = "sample every --n 2 --steps 2 --out a.npy --quiet ";
  EXPECT_EQ(refusal(sample + "--label 3"), "");
  EXPECT_THAT(refusal(sample), HasSubstr("has no unconditional class"));
  EXPECT_THAT(refusal(sample + "--label 3 --guidance 2"), HasSubstr("guidance: expected 1"));
  EXPECT_EQ(refusal("sample named --n 2 --steps 2 --label 2 --guidance 2 --out b.npy --quiet"), "");
  EXPECT_EQ(refusal("sample named --n 2 --steps 2 --out b.npy --quiet"), "");
  EXPECT_THAT(refusal("sample named --n 2 --steps 2 --label 3 --out b.npy --quiet"), HasSubstr("label"));
}

// What each image is told are the columns of an array.
TEST_F(CliExchange, AnImportedNetworkOfATokenIsUsedWithConditions) {
  const std::string folder = std::string(FOKKER_SOURCE_DIR) + "/tests/format/diffusers/fixtures/folder-token";
  const Answer imported = answer("import " + folder + " --out token");
  EXPECT_THAT(imported.json["grid"].get<std::string>(), HasSubstr("shifted:"));
  save_npy(path("told.npy"), Rng(3).normal({24, 5}, {}));
  EXPECT_EQ(refusal("train --data images.npy --labels told.npy --from token --out tuned --steps 2 --batch 8 "
                    "--no-report --quiet"),
            "");
  EXPECT_EQ(refusal("sample tuned --n 2 --steps 3 --given label0=1 --given label1=0 --given token0=0.5 "
                    "--given token1=-1 --given token2=0 --out a.npy --quiet"),
            "");
  EXPECT_EQ(refusal("export token --out arrays --format npz --quiet"), "");
  EXPECT_EQ(read_json("arrays/model.json")["needs_label"], true);
}

TEST_F(CliExchange, RefusesBeforeAnythingIsWritten) {
  EXPECT_THAT(refusal("import images.npy --out other", ErrorKind::input),
              HasSubstr("not a model that can be imported"));
  EXPECT_THAT(refusal("import nowhere --out other", ErrorKind::input), HasSubstr("no such file or folder"));
  EXPECT_THAT(refusal("export run --out pipeline --format pickle"),
              HasSubstr("format: expected one of diffusers"));
  EXPECT_THAT(refusal("export run --out run"), HasSubstr("is not empty"));
  ASSERT_EQ(refusal("export run --out pipeline --quiet"), "");
  EXPECT_THAT(refusal("export run --out pipeline"), HasSubstr("pipeline: is not empty"));
  EXPECT_THAT(refusal("import pipeline --out run"), HasSubstr("run"));
  change("pipeline/unet/config.json", "down_block_types", {"SkipDownBlock2D"});
  EXPECT_THAT(refusal("import pipeline --out other", ErrorKind::input), HasSubstr("SkipDownBlock2D"));
  change("pipeline/unet/config.json", "_class_name", "UNet2DConditionModel");
  EXPECT_THAT(refusal("import pipeline --out other", ErrorKind::input), HasSubstr("CrossAttnDownBlock2D"));
  change("pipeline/unet/config.json", "_class_name", "Transformer2DModel");
  EXPECT_THAT(
      refusal("import pipeline --out other", ErrorKind::input),
      HasSubstr("expected _class_name to be UNet2DModel or UNet2DConditionModel, of images, but found "
                "Transformer2DModel"));
  change("pipeline/unet/config.json", "_class_name", "UNet2DModel");
  change("pipeline/unet/config.json", "out_channels", 2);
  EXPECT_THAT(refusal("import pipeline --out other", ErrorKind::input),
              HasSubstr("as many channels out as in"));
  EXPECT_FALSE(fs::exists(path("other")));
}

}  // namespace
}  // namespace fokker
