#include <gmock/gmock.h>

#include <filesystem>

#include "fokker/core/file/files.h"
#include "fokker/target/toys.h"
#include "folder.h"
#include "target/reference.h"

namespace fokker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MixtureFile : public ::testing::Test {
 protected:
  GaussianMixture read(const std::string& text) {
    write_file_atomically(path_, text);
    return read_gaussian_mixture(path_);
  }
  std::string refusal(const std::string& text) {
    const std::string message = error_of([&] { read(text); }, ErrorKind::input);
    EXPECT_THAT(message, HasSubstr(path_));
    return message;
  }
  /// The refusal of a two-component file with these covariances.
  std::string refused_covariances(const std::string& covariances) {
    return refusal(
        R"({"type": "gaussian_mixture", "weights": [1, 2], "means": [[0, 0], [1, 1]], "covariances": )" +
        covariances + "}");
  }
  TestFolder folder_;
  std::string path_ = (folder_ / "mixture.json").string();
};

TEST_F(MixtureFile, ReadsNumbersDiagonalsAndMatricesSideBySide) {
  const auto mixture =
      read(R"({"type": "gaussian_mixture", "weights": [1, 2, 5], "means": [[0, 1], [2, 3], [4, 5]],
                               "covariances": [0.5, [1, 2], [[2, 1], [1, 2]]]})");
  EXPECT_TRUE(at::allclose(mixture.weights(), numbers({0.125, 0.25, 0.625})));
  EXPECT_TRUE(at::equal(mixture.means(), at::arange(6, at::kDouble).reshape({3, 2})));
  EXPECT_TRUE(at::allclose(mixture.component_covariance(0), 0.5 * at::eye(2, at::kDouble)));
  EXPECT_TRUE(at::allclose(mixture.component_covariance(1), numbers({1, 2}).diag()));
  EXPECT_TRUE(at::allclose(mixture.component_covariance(2), numbers({2, 1, 1, 2}).reshape({2, 2})));
  const auto target = make_target(path_);
  EXPECT_NE(as_gaussian_mixture(*target), nullptr);
  EXPECT_EQ(target->dimension(), 2);
}

TEST_F(MixtureFile, ReadsOneDimension) {
  const auto mixture = read(
      R"({"type": "gaussian_mixture", "weights": [1, 1], "means": [[-1], [1]], "covariances": [[4], [[9]]]})");
  EXPECT_EQ(mixture.component_covariance(0).item<double>(), 4);
  EXPECT_EQ(mixture.component_covariance(1).item<double>(), 9);
}

TEST_F(MixtureFile, RefusesNamingFileAndKey) {
  const std::string head = R"({"type": "gaussian_mixture", )";
  EXPECT_THAT(refusal("[1]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refusal("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("1e999"), HasSubstr("out of range"));
  EXPECT_THAT(refusal(R"({"weights": [1], "means": [[0]], "covariances": [1]})"),
              HasSubstr("type: expected this key"));
  EXPECT_THAT(refusal(R"({"type": "gauss", "weights": [1], "means": [[0]], "covariances": [1]})"),
              HasSubstr(R"(type: expected "gaussian_mixture" but received "gauss")"));
  EXPECT_THAT(refusal(head + R"("means": [[0]], "covariances": [1]})"),
              HasSubstr("weights: expected this key"));
  EXPECT_THAT(refusal(head + R"("weights": [1], "means": [[0]], "covariances": [1], "wieghts": 2})"),
              HasSubstr("wieghts: unknown key"));
  EXPECT_THAT(refusal(head + R"("weights": [], "means": [], "covariances": []})"),
              HasSubstr("weights: expected a list of numbers"));
  EXPECT_THAT(refusal(head + R"("weights": [1, 0], "means": [[0], [1]], "covariances": [1, 1]})"),
              HasSubstr("weights[1]: expected a number > 0 but received 0"));
  EXPECT_THAT(refusal(head + R"("weights": [1, "a"], "means": [[0], [1]], "covariances": [1, 1]})"),
              HasSubstr(R"(weights[1]: expected a number but received "a")"));
  EXPECT_THAT(refusal(head + R"("weights": [1, 1], "means": [[0]], "covariances": [1, 1]})"),
              HasSubstr("means: expected 2 lists, one per weight, but received 1"));
  EXPECT_THAT(refusal(head + R"("weights": [1, 1], "means": [[0, 1], [2]], "covariances": [1, 1]})"),
              HasSubstr("means[1]: expected 2 numbers but received 1"));
  EXPECT_THAT(error_of([] { make_target("/nonexistent/mixture.json"); }, ErrorKind::input),
              HasSubstr("/nonexistent/mixture.json: no such file"));
}

TEST_F(MixtureFile, RefusesBadCovariances) {
  EXPECT_THAT(refused_covariances("[1]"), HasSubstr("covariances: expected 2 entries"));
  EXPECT_THAT(refused_covariances("[1, -1]"), HasSubstr("covariances[1]: expected variances >= 0"));
  EXPECT_THAT(refused_covariances("[1, [1, 2, 3]]"),
              HasSubstr("covariances[1]: expected 2 numbers but received 3"));
  EXPECT_THAT(refused_covariances("[1, [[1, 0]]]"),
              HasSubstr("covariances[1]: expected 2 rows but received 1"));
  EXPECT_THAT(refused_covariances("[1, [[1, 0], [0]]]"), HasSubstr("covariances[1][1]: expected 2 numbers"));
  EXPECT_THAT(refused_covariances("[1, null]"),
              HasSubstr("covariances[1]: expected a number, a diagonal or a matrix"));
  EXPECT_THAT(
      refused_covariances("[[[1, 0.5], [0.4, 1]], 1]"),
      HasSubstr("covariances[0]: expected a symmetric matrix but entry (0, 1) is 0.5 and (1, 0) is 0.4"));
  EXPECT_THAT(refused_covariances("[1, [[1, 2], [2, 1]]]"),
              HasSubstr("covariances[1]: expected a positive semi-definite matrix"));
}

}  // namespace
}  // namespace fokker
