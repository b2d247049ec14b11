#include "fokker/course/problem/formula.h"

#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker::course {

struct Formula::Parser {
  mu::Parser parser;
  std::vector<double> values;
  std::mutex mutex;
};

namespace {

constexpr size_t longest_formula = 2000;

/// Where a single '=' stands, which would assign; npos where there is none.
size_t assignment(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') continue;
    const bool twice = i + 1 < text.size() && text[i + 1] == '=';
    const bool compares = i > 0 && std::string_view("<>!").find(text[i - 1]) != std::string_view::npos;
    if (!twice && !compares) return i;
    if (twice) ++i;
  }
  return std::string::npos;
}

std::string valid_names(const mu::Parser& parser, const std::vector<std::string>& variables) {
  std::vector<std::string> names = variables;
  for (const auto& [name, value] : parser.GetConst())
    if (name[0] != '_') names.push_back(name);
  for (const auto& [name, function] : parser.GetFunDef()) names.push_back(name);
  return join(names);
}

}  // namespace

Formula::Formula(std::string what, std::string text, std::vector<std::string> variables)
    : what_(std::move(what)),
      text_(std::move(text)),
      variables_(std::move(variables)),
      parser_(std::make_shared<Parser>()) {
  check(text_.find_first_not_of(" \t") != std::string::npos, "{}: expected a formula but received nothing",
        what_);
  check(text_.size() <= longest_formula, "{}: expected at most {} characters but received {}", what_,
        longest_formula, text_.size());
  const size_t assigned = assignment(text_);
  check(assigned == std::string::npos, "{}: position {} of '{}': nothing can be assigned (== compares)",
        what_, assigned + 1, shown(text_));
  mu::Parser& p = parser_->parser;
  parser_->values.resize(variables_.size());
  try {
    p.DefineConst("pi", std::numbers::pi);
    p.DefineConst("e", std::numbers::e);
    for (size_t i = 0; i < variables_.size(); ++i) p.DefineVar(variables_[i], &parser_->values[i]);
    p.SetExpr(text_);
    p.Eval();
    check(p.GetNumResults() == 1,
          "{}: '{}': expected one value but received {} (the decimal sign is a point)", what_, shown(text_),
          p.GetNumResults());
  } catch (const mu::Parser::exception_type& error) {
    const bool unknown = error.GetCode() == mu::ecUNASSIGNABLE_TOKEN;
    const auto place = static_cast<int64_t>(error.GetPos());
    const std::string message = unknown ? fmt::format("unknown name '{}'; valid names: {}",
                                                      shown(error.GetToken()), valid_names(p, variables_))
                                        : shown(error.GetMsg());
    fail(ErrorKind::argument, "{}: position {} of '{}': {}", what_, place + 1, shown(text_), message);
  }
}

double Formula::evaluate(const double* values) const {
  std::copy_n(values, variables_.size(), parser_->values.data());
  double result = 0;
  try {
    result = parser_->parser.Eval();
  } catch (const mu::Parser::exception_type& error) {
    fail(ErrorKind::argument, "{}: '{}': {}", what_, shown(text_), shown(error.GetMsg()));
  }
  if (std::isfinite(result)) return result;
  std::vector<std::string> at;
  for (size_t i = 0; i < variables_.size(); ++i)
    at.push_back(fmt::format("{} = {:g}", variables_[i], values[i]));
  fail(ErrorKind::argument, "{}: '{}' is not finite at {}", what_, shown(text_), join(at));
}

Tensor Formula::operator()(const Tensor& values) const {
  const Tensor rows = values.to(at::kDouble).contiguous();
  Tensor result = at::empty({rows.size(0)}, at::kDouble);
  const std::lock_guard lock(parser_->mutex);
  const double* from = rows.data_ptr<double>();
  double* to = result.data_ptr<double>();
  for (int64_t i = 0; i < rows.size(0); ++i)
    to[i] = evaluate(from + i * static_cast<int64_t>(variables_.size()));
  return result;
}

double Formula::at(const std::vector<double>& values) const {
  const std::lock_guard lock(parser_->mutex);
  return evaluate(values.data());
}

bool Formula::uses(const std::string& variable) const {
  const std::lock_guard lock(parser_->mutex);
  return parser_->parser.GetUsedVar().contains(variable);
}

}  // namespace fokker::course
