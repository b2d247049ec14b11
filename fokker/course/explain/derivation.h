#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fokker/course/verify/theory_check.h"

/// Derivations of the sources line by line, each line evaluated: `fokker verify ID --explain`.
namespace fokker::explain {

/// One line: a formula, why it follows, and what its two sides are at the derivation's point.
struct Line {
  std::string formula;  ///< in the notation of report::Math
  std::string why;
  double left = 0, right = 0;
  double allowance = 1e-9;  ///< of quadrature and rounding

  double difference() const { return left - right; }
  bool holds() const;
};

struct Derivation {
  std::string id;  ///< the check that it explains
  std::string title, source;
  std::string setting;  ///< the point, the laws and the numbers at which it is evaluated
  /// An error that is easily made: with it left in, its line shows it.
  verify::Ingredient mistake;
  /// The lines; `right` false with the mistake.
  std::function<std::vector<Line>(bool right)> lines;
};

// One function for each derivation, defined in the file of its source.
Derivation theorem_12_3();
Derivation fisher_identity();
Derivation elimination_of_x0();
Derivation evidence_lower_bound();
Derivation sums_of_the_chain();
Derivation tweedie_formula();

/// By source. Built once.
const std::vector<Derivation>& all_derivations();
/// That of a check. Argument error, listing those that are explained.
const Derivation& derivation_of(const std::string& id);

/// What came of one.
struct Explained {
  const Derivation* derivation = nullptr;
  std::vector<Line> lines;
  bool holds() const;
};
/// `without` is empty or the name of the derivation's mistake; argument error otherwise.
Explained explain(const Derivation& derivation, const std::string& without = {});

/// For a terminal: formulas in plain Unicode.
std::string as_text(const Explained& explained);
/// A page of its own with typeset formulas, MathML; nothing is asked of the network.
void save_page(const std::vector<Explained>& all, const std::filesystem::path& file);

}  // namespace fokker::explain
