// Every process, prediction, objective and network together: refused before the work, or finite samples; and
// every process, weighting, law of times and embedding of time: refused, or samples of the moments of the
// data.
#include "cli/fixture.h"
#include "cli/run/train_setup.h"
#include "fokker/data/array/npy.h"
#include "fokker/objective/registry.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/dpmpp_2m.h"

namespace fokker {
namespace {

class Product : public ::testing::Test {
 protected:
  void SetUp() override {
    images_ = fs::temp_directory_path() / fmt::format("fokker-product-{}.npy", ::getpid());
    save_npy(images_, Rng(5).uniform({6, 1, 4, 4}, {}, at::kFloat) * 2 - 1);
  }
  void TearDown() override { fs::remove(images_); }

  cli::TrainSettings tiny(const std::string& network) const {
    cli::TrainSettings s;
    s.data = network == "unet" ? images_.string() : "target:two-modes";
    s.out = "unused";
    s.mlp.width = 8;
    s.mlp.depth = 1;
    s.mlp.embedding_size = 8;
    s.reading.channels = 8;
    s.steps = 1;
    s.batch = 2;
    s.rows = 32;
    s.plain = network == "plain";
    return s;
  }

  /// Enough training to spoil the linear denoiser of unit data, as which a network of EDM's form begins.
  cli::TrainSettings small(const std::string& process) const {
    cli::TrainSettings s = tiny("residual");
    s.process = process;
    s.predict = "edm";
    s.mlp.width = 16;
    s.steps = 40;
    s.batch = 64;
    s.rows = 256;
    s.ema = 0.9;
    return s;
  }

  /// Whether it was not refused; then columns have mean 0 and deviation 1 in the model's space: within 4.5
  /// errors of 400 rows, and twice that for what has been learned.
  static bool fits_moments(const cli::TrainSettings& s, const std::string& name) {
    try {
      const Tensor x = train_and_sample(s, 400, 20).to(at::kDouble);
      EXPECT_LT(x.mean(0).abs().max().item<double>(), 0.45) << name;
      EXPECT_LT((x.std(0) - 1).abs().max().item<double>(), 0.32) << name;
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::argument) << name << ": " << error.what();
      return false;
    }
  }

  /// Samples after the training that the settings say.
  static Tensor train_and_sample(const cli::TrainSettings& s, int64_t rows = 2, int64_t steps = 4) {
    const TrainingPlan plan = make_plan(s);
    Trainer trainer = plan.trainer();
    trainer.run({});
    const Model model = plan.model(trainer);
    std::vector<int64_t> shape = model.event_shape();
    shape.insert(shape.begin(), rows);
    return generate(*model.denoiser(), DpmPp2M(), TimeGrid::uniform_log_snr(model.spec.process, steps), shape,
                    Rng(2))
        .x;
  }

  /// All predictions, objectives and networks of a process; the predictions that it refuses whatever the
  /// rest.
  void expect_all(const std::string& process, const std::vector<std::string>& impossible = {}) const {
    int finite = 0;
    for (const std::string& prediction : denoiser_names())
      for (const std::string& objective : objective_names())
        for (const std::string network : {"residual", "plain", "unet"}) {
          cli::TrainSettings s = tiny(network);
          s.process = process;
          s.predict = prediction;
          s.objective = objective;
          const std::string name = process + " " + prediction + " " + objective + " " + network;
          const bool refused =
              std::find(impossible.begin(), impossible.end(), prediction) != impossible.end();
          try {
            const Tensor x = train_and_sample(s);
            EXPECT_TRUE(x.isfinite().all().item<bool>()) << name;
            EXPECT_FALSE(refused) << name;
            ++finite;
          } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::argument) << name << ": " << error.what();
          }
        }
    // An objective and a network can rule each other out, but not a prediction as a whole.
    EXPECT_GT(finite, 2 * static_cast<int>(denoiser_names().size() - impossible.size())) << process;
  }

  fs::path images_;
};

TEST_F(Product, IsWholeInItsProcesses) {
  EXPECT_THAT(schedule_names(), ::testing::UnorderedElementsAre("vp", "vp-cosine", "vp-constant", "sub-vp",
                                                                "ve", "brownian", "flow", "edm", "ddpm"));
}
TEST_F(Product, OfVariancePreserving) {
  expect_all("vp");
}
TEST_F(Product, OfCosine) {
  expect_all("vp-cosine");
}
TEST_F(Product, OfConstant) {
  expect_all("vp-constant");
}
TEST_F(Product, OfSubVariancePreserving) {
  expect_all("sub-vp");
}
TEST_F(Product, OfVarianceExploding) {
  expect_all("ve");
}
TEST_F(Product, OfBrownian) {
  expect_all("brownian");
}
// At t = 1 nothing of the data is left, from which noise or a score would have to be divided away.
TEST_F(Product, OfFlow) {
  expect_all("flow", {"noise", "score"});
}
TEST_F(Product, OfEdm) {
  expect_all("edm");
}
TEST_F(Product, OfChain) {
  expect_all("ddpm");
}

TEST_F(Product, OfWeightingsAndLawsOfTime) {
  int fitted = 0;
  for (const std::string& process : schedule_names())
    for (const std::string& weighting : Weighting::names())
      for (const std::string times : {"uniform", "log-normal"}) {
        cli::TrainSettings s = small(process);
        s.weighting = weighting;
        s.times = times;
        fitted += fits_moments(s, process + " " + weighting + " " + times);
      }
  EXPECT_EQ(fitted, 9 * 6 * 2);
}

TEST_F(Product, OfEmbeddingsOfTime) {
  for (const std::string& process : schedule_names())
    for (const std::string embedding : {"fourier", "sinusoidal", "raw"})
      for (const bool plain : {false, true}) {
        cli::TrainSettings s = small(process);
        s.mlp.embedding = embedding;
        s.plain = plain;
        EXPECT_TRUE(fits_moments(s, process + " " + embedding + (plain ? " plain" : "")));
      }
}

}  // namespace
}  // namespace fokker
