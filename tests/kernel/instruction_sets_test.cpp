#include "instruction_sets.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fokker::kernel {
namespace {

/// The place in Highway's tables that a kernel of this program is taken from now.
size_t place_in_tables() {
  return hwy::GetChosenTarget().GetIndex();
}

// Each one visited is one that kernels were compiled for, and has kernels of its own.
TEST(InstructionSets, AreThoseThatKernelsAreCompiledFor) {
  const std::vector<int64_t> available = available_targets(), compiled = compiled_targets();
  std::vector<int64_t> visited;
  std::vector<size_t> places;
  on_each_instruction_set([&] {
    visited.push_back(hwy::SupportedTargets());
    places.push_back(place_in_tables());
  });
  EXPECT_EQ(visited, available);
  for (const int64_t target : visited)
    EXPECT_NE(std::find(compiled.begin(), compiled.end(), target), compiled.end()) << hwy::TargetName(target);
  std::sort(places.begin(), places.end());
  EXPECT_EQ(std::unique(places.begin(), places.end()), places.end());
  EXPECT_EQ(available_targets(), available) << "restored";
  EXPECT_EQ(target_names({HWY_SCALAR}), "SCALAR");
}

// Highway takes any target as supported, and runs the slowest form of what was not compiled for it.
TEST(InstructionSets, RefuseWhatKernelsAreNotCompiledFor) {
  const std::vector<int64_t> compiled = compiled_targets();
  for (const int64_t target : {int64_t{HWY_AVX3_DL}, int64_t{HWY_NEON}}) {
    if (std::find(compiled.begin(), compiled.end(), target) != compiled.end()) continue;
    EXPECT_THROW(InstructionSets only(target), std::invalid_argument) << hwy::TargetName(target);
  }
}

}  // namespace
}  // namespace fokker::kernel
