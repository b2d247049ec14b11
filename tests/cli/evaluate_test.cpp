// `fokker evaluate`: what it says of two files, and the distance of images in the features of a classifier.
#include "cli/fixture.h"
#include "fokker/data/array/npy.h"

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
  // Unseen by the classifier, as many as there are (half of its data) and not in the reference: no image is
  // compared with itself.
  EXPECT_EQ(alike["classifier_frechet_real_images"], 300);
  EXPECT_EQ(alike["classifier_saw_of_reference"], 0);
  EXPECT_EQ(alike["unit"], "common");
  // The reference is the classifier's data itself: half of it was seen, which is said, and the noise is no
  // less.
  const Outcome one_file = run("evaluate --json --reference labelled.npy --samples alike.npy" + classifier);
  ASSERT_EQ(one_file.code, 0) << one_file.err;
  const Json same_file = Json::parse(one_file.out);
  EXPECT_EQ(same_file["classifier_saw_of_reference"], 300);
  EXPECT_GT(same_file["classifier_frechet_distance_real"].get<double>(), 0.2 * real);
  const Outcome said = run("evaluate --reference labelled.npy --samples labelled.npy" + classifier);
  EXPECT_THAT(said.out,
              HasSubstr("of the 600 images of the reference are among the images that the classifier was"));
  EXPECT_THAT(said.out, HasSubstr("of the 600 samples are among"));
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

std::string table(const std::string& header, const Tensor& rows) {
  std::string text = header + "\n";
  for (int64_t i = 0; i < rows.size(0); ++i) {
    for (int64_t c = 0; c < rows.size(1); ++c)
      text += fmt::format("{}{}", c ? "," : "", rows[i][c].item<double>());
    text += "\n";
  }
  return text;
}

TEST_F(Cli, EvaluateNamesWhatItTestedAndWhatDecided) {
  const Tensor x = Rng(1).normal({500, 3}, {}, at::kDouble), y = Rng(2).normal({400, 3}, {}, at::kDouble);
  Tensor rounded = x.clone();
  rounded.select(1, 1).copy_((x.select(1, 1) * 10).round() / 10);
  write("x.csv", table("a,b,c", rounded));
  write("y.csv", table("a,b,c", y));
  const Outcome outcome = run("evaluate --samples x.csv --reference y.csv --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_LT(json["p_value"].get<double>(), 0.01);
  EXPECT_EQ(json["decided_by"], "columns");
  EXPECT_EQ(json["tested_samples"], 500);
  EXPECT_EQ(json["tested_reference"], 400);
  EXPECT_EQ(json["columns"][1]["column"], "b");
  EXPECT_EQ(json["columns"][1]["kind"], "repeated values");
  EXPECT_GT(json["columns"][1]["repeated_samples"].get<double>(), 0.9);
  EXPECT_EQ(json["tests"]["pairs"]["tested"], 3);
  EXPECT_EQ(json["copies"], 0);
  EXPECT_EQ(json["rows_used"]["mmd"][0], 500);
  const Outcome text = run("evaluate --samples x.csv --reference y.csv");
  EXPECT_THAT(text.out, HasSubstr("told apart by columns"));
  EXPECT_THAT(text.out, HasSubstr("all 500 samples and all 400 rows of the reference; 1999 relabellings"));
  EXPECT_THAT(text.out, HasSubstr("b: repeated values"));
  const Outcome copies = run("evaluate --samples y.csv --reference y.csv");
  EXPECT_THAT(copies.out, HasSubstr("not told apart"));
  EXPECT_THAT(copies.out, HasSubstr("400 of the samples are rows of the reference"));
}

TEST_F(Cli, EvaluateOfFewRowsAndOfTooMany) {
  write("one.csv", "a,b\n1.5,2.5\n");
  write("three.csv", "a,b\n1.5,2.5\n2.5,1\n4.5,3.25\n");
  write_points(20);
  expect_refusal("evaluate --samples one.csv --reference points.csv", 3,
                 "one.csv: expected at least 2 rows to compare but it has 1");
  expect_refusal("evaluate --samples points.csv --reference one.csv", 3, "one.csv: expected at least 2 rows");
  save_npy(path("bad.npy"), at::tensor({1.0, 2.0, NAN, 4.0, 5.0, 6.0}, at::kDouble).reshape({3, 2}));
  expect_refusal("evaluate --samples bad.npy --reference points.csv", 3, "bad.npy: ");
  const Outcome three = run("evaluate --samples three.csv --reference three.csv --json");
  ASSERT_EQ(three.code, 0) << three.err;
  const Json json = Json::parse(three.out);
  EXPECT_TRUE(json["c2st_accuracy"].is_null());
  EXPECT_EQ(json["p_value"], 1);
  EXPECT_THAT(run("evaluate --samples three.csv --reference three.csv").out,
              HasSubstr("not measured: expected at least 4 rows in each set"));
  for (const char* n : {"1000000000000", "9000000000000000000"})
    expect_refusal(std::string("evaluate --samples points.csv --reference target:two-modes --n ") + n, 2,
                   "n: expected at most 134217728 reference samples of dimension 2");
}

// One row has no spread over rows: its bound is drawn several times, and the error is theirs.
TEST_F(Cli, BoundOfOneRowHasAnError) {
  write("one.csv", "a,b\n0.5,-0.5\n");
  const Outcome outcome = run(
      "likelihood --target two-modes --process vp --data one.csv --method elbo --steps 50 --json --quiet");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["n"], 1);
  EXPECT_GT(json["standard_error"].get<double>(), 1e-3);
  EXPECT_EQ(json["standard_error"], json["probe_standard_error"]);
}

}  // namespace
}  // namespace fokker
