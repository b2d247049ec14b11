#pragma once
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fokker {

/// Targets of Highway that the vector kernels are compiled for, the best first: one bit each. With GCC 12 on
/// x86-64 AVX3, AVX2, SSE4, SSSE3 and SCALAR, wherever the program runs.
std::vector<int64_t> compiled_targets();

/// Those among them that run here: the processor has them, and no InstructionSets keeps kernels from them.
std::vector<int64_t> available_targets();

/// "AVX3 AVX2 SSE4 SSSE3 SCALAR".
std::string target_names(const std::vector<int64_t>& targets);

/// Has vector kernels run on this one of the available targets while it lives. Throws std::invalid_argument
/// for another: kernels would silently run their slowest form.
class InstructionSets {
 public:
  explicit InstructionSets(int64_t target);
  InstructionSets(const InstructionSets&) = delete;
  InstructionSets& operator=(const InstructionSets&) = delete;
  ~InstructionSets() { choose(before_); }

 private:
  static void choose(int64_t targets);
  int64_t before_;
};

/// Calls check() on each available target, one at a time.
template <typename Check>
void on_each_instruction_set(const Check& check) {
  for (const int64_t target : available_targets()) {
    const InstructionSets only(target);
    SCOPED_TRACE(hwy::TargetName(target));
    check();
  }
}

}  // namespace fokker
