#pragma once
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker::course {

/// A formula in named variables that a reader wrote: numbers, + - * / ^, comparisons, ?:, pi, e and the
/// functions of muParser (sin, exp, log, sqrt, tanh, ...). Nothing else can be called and nothing is
/// assigned.
class Formula {
 public:
  /// `what` stands before messages. Argument errors name the place in the text; an unknown name lists the
  /// valid ones.
  Formula(std::string what, std::string text, std::vector<std::string> variables);

  /// Rows of the variables' values, (n, variables) -> (n); float64. Argument error, naming the row's values,
  /// where the result is no finite number. Safe to use from several threads, one at a time.
  Tensor operator()(const Tensor& values) const;
  double at(const std::vector<double>& values) const;

  /// Whether the formula mentions the variable.
  bool uses(const std::string& variable) const;
  const std::string& text() const { return text_; }
  const std::vector<std::string>& variables() const { return variables_; }

 private:
  struct Parser;
  double evaluate(const double* values) const;
  std::string what_, text_;
  std::vector<std::string> variables_;
  std::shared_ptr<Parser> parser_;
};

}  // namespace fokker::course
