// Exercises: right answers in other forms, and what is often got wrong.
#include "fokker/course/exercise/exercise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fokker/core/error.h"
#include "fokker/course/verify/suite.h"

namespace fokker::exercise {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ExerciseTest, SolutionsAreRightAndSlipsAreNot) {
  EXPECT_GE(all_exercises().size(), 6u);
  for (const Exercise& e : all_exercises()) {
    EXPECT_NO_THROW(verify::select({e.check})) << e.id;
    EXPECT_TRUE(grade_formula(e, e.solution).right) << e.id;
    EXPECT_TRUE(grade_formula(e, "0 + 1*(" + e.solution + ")").right) << e.id;
    EXPECT_GE(e.slips.size(), 5u) << e.id;
    for (const Slip& slip : e.slips) {
      const Grade g = grade_formula(e, slip.answer);
      EXPECT_FALSE(g.right) << e.id << ": " << slip.answer;
      EXPECT_EQ(g.hint, slip.hint) << e.id << ": " << slip.answer;
    }
  }
}

TEST(ExerciseTest, RightInAnotherForm) {
  EXPECT_TRUE(grade_formula(exercise_of("s0.12-1"), "1 + sigma^2 - t*sigma^2").right);
  EXPECT_TRUE(grade_formula(exercise_of("s0.reversal"), "x*(sigma^2*(1 - (log(x)-m)/v) - mu)").right);
}

TEST(ExerciseTest, HintsAtSignFactorAndConstant) {
  const auto hint = [](const char* id, const char* answer) {
    return grade_formula(exercise_of(id), answer).hint;
  };
  EXPECT_EQ(hint("s0.12-2", "y/(1+eta^2)"), "The sign is wrong.");
  EXPECT_THAT(hint("s0.12-2", "-2*y/(1+eta^2)"), HasSubstr("off by a factor: 2 times"));
  EXPECT_THAT(hint("s0.12-1", "sigma^2*(1-t) + 3"), HasSubstr("off by a constant: 2 more"));
  EXPECT_THAT(hint("s0.12-1", "sin(t)"), HasSubstr("more than a sign"));
  EXPECT_THAT([&] { hint("s0.12-1", "sigma^2*(1-s)"); },
              ThrowsMessage<Error>(HasSubstr(
                  "answer: position 12 of 'sigma^2*(1-s)': unknown name 's'; valid names: t, sigma")));
  EXPECT_THAT([] { exercise_of("s9"); }, ThrowsMessage<Error>(HasSubstr("there are: s0.12-1, s0.12-2")));
}

TEST(ExerciseTest, GradesAFileOfValues) {
  const auto path =
      (std::filesystem::temp_directory_path() / ("fokker-answer-" + std::to_string(::getpid()) + ".csv"))
          .string();
  const auto graded = [&](double factor) {
    std::ofstream file(path);
    file << "sigma,answer,t\n";  // columns in any order
    for (int i = 1; i <= 6; ++i)
      file << i << "," << factor * (i * i * (1 - 0.1 * i) + 1) << "," << 0.1 * i << "\n";
    file.close();
    return grade_file(exercise_of("s0.12-1"), path);
  };
  EXPECT_TRUE(graded(1).right);
  EXPECT_THAT(graded(1.5).hint, HasSubstr("1.5 times"));
  std::ofstream(path) << "sigma,t,answer\n1,0.5,1.5\n";
  EXPECT_THAT([&] { grade_file(exercise_of("s0.12-1"), path); },
              ThrowsMessage<Error>(HasSubstr("expected at least 5 rows but received 1")));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace fokker::exercise
