#include "fokker/distributed/place.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <utility>
#include <vector>

#include "expect_error.h"

namespace fokker {
namespace {

/// The environment of a launcher, for as long as it lives.
using Variables = std::vector<std::pair<const char*, const char*>>;
class Launched {
 public:
  explicit Launched(Variables variables) : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) ::setenv(name, value, 1);
  }
  ~Launched() {
    for (const auto& [name, value] : variables_) ::unsetenv(name);
  }
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;

 private:
  Variables variables_;
};

TEST(RankPlace, IsReadFromTheEnvironment) {
  EXPECT_EQ(place_in_environment().size, 1);
  const Launched launched(Variables{{"RANK", "3"},
                                    {"WORLD_SIZE", "8"},
                                    {"LOCAL_RANK", "1"},
                                    {"MASTER_ADDR", "10.0.0.7"},
                                    {"MASTER_PORT", "4000"},
                                    {"FOKKER_TOKEN", "t"}});
  const RankPlace place = place_in_environment();
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.size, 8);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.address, "10.0.0.7");
  EXPECT_EQ(place.port, 4000);
  EXPECT_EQ(place.token, "t");
  const Launched by_torchrun(Variables{{"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_EQ(place_in_environment().port, 4001) << "torchrun has the other";
}

TEST(RankPlace, RefusesWhatMakesNoSense) {
  const auto refused = [](Variables variables, const std::string& text) {
    const Launched launched(std::move(variables));
    expect_error([] { place_in_environment(); }, ErrorKind::argument, text);
  };
  refused({{"RANK", "0"}}, "RANK is set but WORLD_SIZE is not");
  refused({{"WORLD_SIZE", "2"}}, "WORLD_SIZE is set but RANK is not");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "2"}},
          "RANK: expected a number below WORLD_SIZE = 2 but received 2");
  refused({{"WORLD_SIZE", "two"}, {"RANK", "0"}}, "WORLD_SIZE");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "-1"}}, "RANK");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_PORT", "70000"}}, "MASTER_PORT");
}

}  // namespace
}  // namespace fokker
