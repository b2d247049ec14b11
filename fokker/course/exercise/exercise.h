#pragma once
#include <string>
#include <vector>

#include "fokker/course/verify/evidence.h"

/// Exercises of the sources, and one of our own for each, graded as the checks are: `fokker exercise`.
namespace fokker::exercise {

/// A variable of the answer, and the range in which answers are compared.
struct Variable {
  std::string name, meaning;
  double low = 0, high = 1;
};

/// An error that is often made, and what to say of it.
struct Slip {
  std::string answer;  ///< the formula that it gives
  std::string hint;
};

struct Exercise {
  std::string id;  ///< "s0.12-1"
  std::string title, source;
  std::string question;
  std::vector<Variable> variables;
  std::string solution;  ///< a formula in the variables (course::Formula)
  std::vector<Slip> slips;
  std::string check;  ///< the check that shows the statement
};

/// By source. Built once.
const std::vector<Exercise>& all_exercises();
/// Argument error that lists the ids.
const Exercise& exercise_of(const std::string& id);

/// How an answer was graded.
struct Grade {
  bool right = false;
  verify::Finding worst;  ///< the comparison that is farthest off
  std::string where;      ///< the variables there: "t = 0.3, sigma = 2"
  std::string hint;       ///< what is off; empty where it is right
};

/// A formula in the exercise's variables, compared at 40 points of their ranges. Argument error where it
/// cannot be read.
Grade grade_formula(const Exercise& exercise, const std::string& answer);
/// Values at the reader's own points, (n, variables) and (n), n >= 5, right to 1e-4.
Grade grade_values(const Exercise& exercise, const Tensor& points, const Tensor& values);
/// The same of a CSV file with a column for each variable and one named `answer`. Input errors name the file.
Grade grade_file(const Exercise& exercise, const std::string& file);

}  // namespace fokker::exercise
