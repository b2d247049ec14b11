// `fokker evaluate`: the distance of images in the features of a classifier.
#include "cli/fixture.h"
#include "fokker/data/npy.h"

namespace fokker {
namespace {

/// Images of 8 x 8 pixels, bright above (class 0) or on the left (class 1), and the class of each.
std::pair<Tensor, Tensor> bright_halves(int64_t n, uint64_t seed, double contrast) {
  const Rng rng(seed);
  const Tensor classes = at::arange(n).remainder(2);
  const Tensor column = classes.reshape({n, 1, 1, 1}).to(at::kFloat);
  const Tensor ramp = at::linspace(1, -1, 8);
  const Tensor pattern = column * ramp.reshape({1, 1, 1, 8}) + (1 - column) * ramp.reshape({1, 1, 8, 1});
  const Tensor noise = rng.normal({n, 64}).reshape({n, 1, 8, 8});
  return {(contrast * pattern + 0.1 * noise).clamp(-1, 1), classes};
}

TEST_F(Cli, MeasuresImagesInTheFeaturesOfAClassifier) {
  const auto [labelled, classes] = bright_halves(600, 1, 0.8);
  save_npy(path("labelled.npy"), labelled);
  save_npy(path("classes.npy"), classes);
  save_npy(path("held.npy"), bright_halves(300, 2, 0.8).first);
  save_npy(path("alike.npy"), bright_halves(300, 3, 0.8).first);
  save_npy(path("pale.npy"), bright_halves(300, 4, 0.4).first);
  const std::string classifier = " --classifier-data labelled.npy --classifier-labels classes.npy";
  const auto distances = [&](const std::string& samples) {
    const Outcome outcome = run("evaluate --json --reference held.npy --samples " + samples + classifier);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Json::parse(outcome.out);
  };
  const Json alike = distances("alike.npy"), pale = distances("pale.npy");
  EXPECT_GT(alike["classifier_accuracy"].get<double>(), 0.95);
  // The classifier's own images and the alike ones are draws of one law: equal but for the noise of 300.
  const double real = alike["classifier_frechet_distance_real"].get<double>();
  EXPECT_LT(alike["classifier_frechet_distance"].get<double>(), 2 * real);
  EXPECT_GT(pale["classifier_frechet_distance"].get<double>(), 20 * real);
  // The same images in levels of 0..255, but for rounding.
  save_npy(path("levels.npy"), ((load_npy(path("held.npy")) + 1) * 127.5).round().to(at::kByte));
  const Outcome same = run("evaluate --json --samples held.npy --reference levels.npy");
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_LT(Json::parse(same.out)["mean_error"].get<double>(), 0.5 / 127.5);
  expect_refusal("evaluate --samples pale.npy --reference held.npy --classifier-labels classes.npy", 2,
                 "expected --classifier-data");
  expect_refusal("evaluate --samples pale.npy --reference held.npy --classifier-data labelled.npy", 3,
                 "labels");
  expect_refusal("evaluate --samples pale.npy --reference target:two-modes" + classifier, 2,
                 "expected --reference to be a file of images");
}

}  // namespace
}  // namespace fokker
