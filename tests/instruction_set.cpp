// Part of every test program: FOKKER_TEST_INSTRUCTION_SET=SSE4 runs it as on a processor with no better one.
#include <cstdlib>
#include <memory>
#include <string>

#include "instruction_sets.h"

namespace fokker {
namespace {

class ChosenInstructionSet final : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* name = std::getenv("FOKKER_TEST_INSTRUCTION_SET");
    if (!name) return;
    std::string valid;
    for (int64_t targets = hwy::SupportedTargets(); targets; targets &= targets - 1) {
      const int64_t one = targets & -targets;
      if (std::string(hwy::TargetName(one)) == name) chosen_ = std::make_unique<InstructionSets>(one);
      valid += std::string(" ") + hwy::TargetName(one);
    }
    ASSERT_TRUE(chosen_) << "FOKKER_TEST_INSTRUCTION_SET: expected one of" << valid << " but received "
                         << name;
  }
  void TearDown() override { chosen_.reset(); }

 private:
  std::unique_ptr<InstructionSets> chosen_;
};

[[maybe_unused]] const auto* const environment =
    ::testing::AddGlobalTestEnvironment(new ChosenInstructionSet);

}  // namespace
}  // namespace fokker
