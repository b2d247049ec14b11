#include "fokker/train/problem.h"

#include "support.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;

std::string only_difference(const Json& before, const Json& now) {
  const auto found = differences({{"label", before}}, {{"label", now}});
  return found.size() == 1 ? found[0] : fmt::format("{} differences", found.size());
}

TEST(Problem, ShowsValuesAsTheyAreWrittenUpToFortyBytes) {
  EXPECT_EQ(only_difference("größe", 2.5), "label was \"größe\" and is now 2.5");
  const std::string longest(38, 'a');  // and two quotes
  EXPECT_EQ(only_difference(longest, 1), fmt::format("label was \"{}\" and is now 1", longest));
  EXPECT_EQ(only_difference(longest + "b", 1), fmt::format("label was \"{}b... and is now 1", longest));
}

TEST(Problem, NamesTheMembersThatDiffer) {
  const Json before = {{"process", {{"type", "ve"}, {"sigma_max", 50.0}}}, {"seed", 1}};
  Json now = before;
  EXPECT_TRUE(differences(before, now).empty());
  now["process"]["sigma_max"] = 10.0;
  EXPECT_THAT(differences(before, now), ElementsAre("process.sigma_max was 50.0 and is now 10.0"));
  now["process"] = {{"type", "vp"}};
  EXPECT_THAT(differences(before, now), ElementsAre("process.type was \"ve\" and is now \"vp\""));
}

}  // namespace
}  // namespace fokker
