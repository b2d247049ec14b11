#pragma once
#include "fokker/course/verify/theory_check.h"

/// The theory of the four sources as numbers: each statement is measured against its closed form.
namespace fokker::verify {

/// Every check, by source and topic. Built once.
const std::vector<Check>& all_checks();

/// Those whose id is one of `ids` or lies below it ("s0" and "s0.reversal" name groups), in the suite's
/// order; all of them where `ids` is empty. An argument error names an id that fits nothing.
std::vector<const Check*> select(const std::vector<std::string>& ids);

struct RunOptions {
  uint64_t seed = 0;
  int threads = 1;           ///< checks run at the same time, each on one thread
  std::string without = {};  ///< an ingredient that every chosen check declares
  /// "key=value,...": each chosen check takes what it declares and can use, and runs as it is otherwise.
  std::vector<std::string> set = {};
  /// Called in the order of the checks, from one thread at a time, as soon as an outcome is known.
  std::function<void(const Outcome&)> observer = {};
};

/// Runs the checks and returns their outcomes in the same order.
std::vector<Outcome> run(const std::vector<const Check*>& checks, const RunOptions& options);

}  // namespace fokker::verify
