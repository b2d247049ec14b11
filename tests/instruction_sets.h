#pragma once
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>

namespace fokker {

/// Has vector kernels run on these of Highway's targets (a mask; 0: all that the processor has) while it
/// lives.
class InstructionSets {
 public:
  explicit InstructionSets(int64_t targets) : before_(hwy::SupportedTargets()) { choose(targets); }
  InstructionSets(const InstructionSets&) = delete;
  InstructionSets& operator=(const InstructionSets&) = delete;
  ~InstructionSets() { choose(before_); }

 private:
  static void choose(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  int64_t before_;
};

/// Calls check() on each instruction set that the processor has, one at a time.
template <typename Check>
void on_each_instruction_set(const Check& check) {
  for (int64_t targets = hwy::SupportedTargets(); targets; targets &= targets - 1) {
    const int64_t one = targets & -targets;
    const InstructionSets only(one);
    SCOPED_TRACE(hwy::TargetName(one));
    check();
  }
}

}  // namespace fokker
