#include "fokker/course/exercise/exercise.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "fokker/core/check.h"
#include "fokker/core/random/rng.h"
#include "fokker/core/text/text.h"
#include "fokker/course/problem/formula.h"
#include "fokker/data/load.h"

namespace fokker::exercise {
namespace {

constexpr int64_t compared_points = 40, least_points = 5;
constexpr double formula_allowance = 1e-9, value_allowance = 1e-4;

std::vector<std::string> names_of(const Exercise& e) {
  std::vector<std::string> names;
  names.reserve(e.variables.size());
  for (const Variable& v : e.variables) names.push_back(v.name);
  return names;
}

course::Formula formula_of(const Exercise& e, const std::string& what, const std::string& text) {
  return {what, text, names_of(e)};
}

/// Points in the ranges of the variables, always the same.
Tensor points_of(const Exercise& e) {
  Tensor u = Rng(0).stream(e.id).uniform({compared_points, static_cast<int64_t>(e.variables.size())}, {},
                                         at::kDouble);
  for (size_t i = 0; i < e.variables.size(); ++i) {
    const Variable& v = e.variables[i];
    u.select(1, static_cast<int64_t>(i)).mul_(v.high - v.low).add_(v.low);
  }
  return u;
}

std::string place_of(const Exercise& e, const Tensor& point) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < e.variables.size(); ++i)
    parts.push_back(
        fmt::format("{} = {:.4g}", e.variables[i].name, point[static_cast<int64_t>(i)].item<double>()));
  return join(parts);
}

bool close(const Tensor& a, const Tensor& b, double allowance) {
  return ((a - b).abs() <= allowance * b.abs().clamp_min(1)).all().item<bool>();
}

/// The value that a tensor has everywhere; nothing where it varies.
std::optional<double> constant(const Tensor& values, double allowance) {
  const double middle = values.median().item<double>();
  const bool same =
      ((values - middle).abs() <= allowance * std::max(1.0, std::abs(middle))).all().item<bool>();
  return same ? std::optional(middle) : std::nullopt;
}

/// What is off: an error that is known, a sign, a factor or a constant.
std::string hint_for(const Exercise& e, const Tensor& points, const Tensor& given, const Tensor& solution,
                     double allowance) {
  for (const Slip& slip : e.slips)
    if (close(given, formula_of(e, e.id, slip.answer)(points), allowance)) return slip.hint;
  if (close(given, -solution, allowance)) return "The sign is wrong.";
  const Tensor away = solution.abs() > 1e-6;
  const auto loose = 10 * allowance;
  if (away.any().item<bool>())
    if (const auto factor = constant((given / solution).masked_select(away), loose))
      return fmt::format("It is off by a factor: {:.6g} times what is right.", *factor);
  if (const auto offset = constant(given - solution, loose))
    return fmt::format("It is off by a constant: {:.6g} more than what is right.", *offset);
  return "It differs by more than a sign, a factor or a constant.";
}

Grade grade(const Exercise& e, const Tensor& points, const Tensor& given, double allowance) {
  const Tensor solution = formula_of(e, e.id, e.solution)(points);
  verify::Evidence evidence;
  for (int64_t i = 0; i < given.size(0); ++i) {
    const double right = solution[i].item<double>();
    evidence.equal(place_of(e, points[i]), {given[i].item<double>()}, right,
                   allowance * std::max(1.0, std::abs(right)));
  }
  Grade result{.right = false, .worst = evidence.worst(), .where = {}, .hint = {}};
  result.right = result.worst.passed;
  result.where = result.worst.what;
  if (!result.right) result.hint = hint_for(e, points, given, solution, allowance);
  return result;
}

}  // namespace

const Exercise& exercise_of(const std::string& id) {
  std::vector<std::string> ids;
  for (const Exercise& e : all_exercises()) {
    if (e.id == id) return e;
    ids.push_back(e.id);
  }
  fail(ErrorKind::argument, "exercise: no exercise is named '{}'; there are: {}", shown(id), join(ids));
}

Grade grade_formula(const Exercise& e, const std::string& answer) {
  const Tensor points = points_of(e);
  return grade(e, points, formula_of(e, "answer", answer)(points), formula_allowance);
}

Grade grade_values(const Exercise& e, const Tensor& points, const Tensor& values) {
  check(values.size(0) >= least_points, "{}: expected at least {} values but received {}", e.id, least_points,
        values.size(0));
  return grade(e, points, values, value_allowance);
}

Grade grade_file(const Exercise& e, const std::string& file) {
  std::vector<std::string> columns = names_of(e);
  columns.emplace_back("answer");
  const Dataset rows = load_data(file, {.columns = columns});
  const auto d = static_cast<int64_t>(e.variables.size());
  check_input(rows.values.dim() == 2 && rows.values.size(1) == d + 1, "{}: expected the columns {}", file,
              join(columns));
  check_input(rows.values.size(0) >= least_points, "{}: expected at least {} rows but received {}", file,
              least_points, rows.values.size(0));
  const Tensor all = rows.values.to(at::kDouble);
  return grade_values(e, all.narrow(1, 0, d), all.select(1, d));
}

}  // namespace fokker::exercise
