// Part of every test program: FOKKER_TEST_INSTRUCTION_SET=SSE4 runs it as on a processor with no better one.
// A name that kernels are not compiled for is refused; where the processor lacks the set, all tests are
// skipped.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "instruction_sets.h"

namespace fokker {
namespace {

// Highway's masks name the better of two targets by the lower bit.
std::vector<int64_t> bits_of(int64_t targets) {
  std::vector<int64_t> bits;
  for (; targets; targets &= targets - 1) bits.push_back(targets & -targets);
  return bits;
}

class ChosenInstructionSet final : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* name = std::getenv("FOKKER_TEST_INSTRUCTION_SET");
    if (!name) return;
    const auto named = [&](int64_t target) { return hwy::TargetName(target) == std::string(name); };
    const std::vector<int64_t> compiled = compiled_targets(), available = available_targets();
    const auto found = std::find_if(compiled.begin(), compiled.end(), named);
    ASSERT_TRUE(found != compiled.end())
        << "FOKKER_TEST_INSTRUCTION_SET: expected what kernels are compiled for, one of "
        << target_names(compiled) << ", but received " << name;
    if (std::find(available.begin(), available.end(), *found) == available.end())
      GTEST_SKIP() << "FOKKER_TEST_INSTRUCTION_SET: this processor has no " << name << ", only "
                   << target_names(available);
    // Of AVX3 oneDNN has several, of which the tests without a name run the best.
    if (*found == available.front() && *found != HWY_AVX3)
      GTEST_SKIP() << "FOKKER_TEST_INSTRUCTION_SET: this processor has no better than " << name
                   << ", which the tests without a name run";
    chosen_ = std::make_unique<InstructionSets>(*found);
  }
  void TearDown() override { chosen_.reset(); }

 private:
  std::unique_ptr<InstructionSets> chosen_;
};

[[maybe_unused]] const auto* const environment =
    ::testing::AddGlobalTestEnvironment(new ChosenInstructionSet);

}  // namespace

// The library and its tests have the same compiler and options, which decide Highway's list.
std::vector<int64_t> compiled_targets() {
  return bits_of(HWY_TARGETS);
}

std::vector<int64_t> available_targets() {
  return bits_of(HWY_TARGETS & hwy::SupportedTargets());
}

std::string target_names(const std::vector<int64_t>& targets) {
  std::string names;
  for (const int64_t target : targets)
    names += (names.empty() ? "" : " ") + std::string(hwy::TargetName(target));
  return names;
}

InstructionSets::InstructionSets(int64_t target) : before_(hwy::SupportedTargets()) {
  const std::vector<int64_t> available = available_targets();
  if (std::find(available.begin(), available.end(), target) == available.end())
    throw std::invalid_argument("InstructionSets: expected one of " + target_names(available) +
                                " but received " + hwy::TargetName(target));
  choose(target);
}

void InstructionSets::choose(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace fokker
