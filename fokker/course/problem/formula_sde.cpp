#include "fokker/course/problem/formula_sde.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "fokker/core/check.h"
#include "fokker/core/text/spec_registry.h"
#include "fokker/core/text/text.h"
#include "fokker/course/problem/formula.h"
#include "fokker/course/problem/known_diffusions.h"

namespace fokker::course {
namespace {

constexpr int64_t most_dimensions = 9;

const Registry<WrittenSde>& named_diffusions() {
  static const Registry<WrittenSde> diffusions(
      "sde", {{"geometric", "geometric Brownian motion from a log-normal start",
               [](Spec& s) {
                 GeometricBrownian g;
                 g.mu = s.number("mu", g.mu);
                 g.sigma = s.number("sigma", g.sigma, 1e-6);
                 return WrittenSde{
                     .sde = g.sde(),
                     .state_dependent = true,
                     .sample = [g](int64_t n, const Rng& rng, double t) { return g.sample(t, n, rng); },
                     .score = g.score()};
               }},
              {"warped", "a diffusion in the plane with a full, state-dependent sigma", [](Spec&) {
                 const WarpedLinear w;
                 return WrittenSde{.sde = w.sde(),
                                   .state_dependent = true,
                                   .sample = [w](int64_t n, const Rng& rng,
                                                 double t) { return w.to_x(w.sample_y(t, n, rng)); },
                                   .score = w.score()};
               }}});
  return diffusions;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\n"), end = text.find_last_not_of(" \t\n");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

/// "name=formula; name=formula".
std::map<std::string, std::string> parts_of(const std::string& text) {
  std::map<std::string, std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string part = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    check(equals != std::string::npos && equals > 0,
          "sde: expected \"b=...; sigma=...\" or one of {} but received '{}'",
          join(named_diffusions().names()), shown(part));
    const std::string name = trimmed(part.substr(0, equals));
    check(parts.emplace(name, trimmed(part.substr(equals + 1))).second, "sde: {} is given twice",
          shown(name));
  }
  return parts;
}

/// Whether a name is `stem` and then `count` digits from 1 to d.
bool is_indexed(const std::string& name, const std::string& stem, size_t count, int64_t d) {
  return name.size() == stem.size() + count && name.starts_with(stem) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(stem.size()), name.end(),
                     [&](char c) { return c >= '1' && c < '1' + d; });
}

int64_t dimension_of(const std::map<std::string, std::string>& parts) {
  if (parts.contains("b")) return 1;
  int64_t d = 0;
  while (d < most_dimensions && parts.contains(fmt::format("b{}", d + 1))) ++d;
  check(d > 0, "sde: expected a drift, b=... or b1=...; b2=..., but received {}",
        parts.empty() ? "nothing" : "none");
  return d;
}

void check_names(const std::map<std::string, std::string>& parts, int64_t d) {
  for (const auto& [name, formula] : parts) {
    const bool drift = (d == 1 && name == "b") || is_indexed(name, "b", 1, d);
    const bool noise = name == "sigma" || is_indexed(name, "sigma", 1, d) || is_indexed(name, "sigma", 2, d);
    check(drift || noise,
          "sde: unknown part '{}'; valid in {} dimension{}: b{}, sigma, sigma1.. (diagonal), sigma11.. "
          "(matrix)",
          shown(name), d, d == 1 ? "" : "s", d == 1 ? "" : fmt::format("1..b{}", d));
  }
  check(!(parts.contains("b") && parts.contains("b1")), "sde: expected b or b1 but received both");
}

/// The formulas of one written diffusion, in x1..xd (x too on a line) and t.
class Formulas {
 public:
  Formulas(const std::map<std::string, std::string>& parts, int64_t d) : d_(d) {
    for (int64_t i = 1; i <= d; ++i) variables_.push_back(fmt::format("x{}", i));
    variables_.emplace_back("t");
    if (d == 1) variables_.emplace_back("x");
    for (int64_t i = 1; i <= d; ++i) {
      const std::string name = d == 1 && parts.contains("b") ? "b" : fmt::format("b{}", i);
      drift_.push_back(formula(name, parts.at(name)));
    }
    read_noise(parts);
  }

  Tensor drift(const Tensor& x, double t) const {
    const Tensor rows = with_time(x, t);
    std::vector<Tensor> columns;
    columns.reserve(drift_.size());
    for (const Formula& b : drift_) columns.push_back(b(rows));
    return at::stack(columns, 1).to(x.scalar_type());
  }

  Dispersion dispersion() const {
    if (matrix_.size() == 1 && !depends_on_x())
      return Dispersion::scalar([self = *this](double t) { return self.at_time(t); });
    if (!full_)
      return Dispersion::diagonal([self = *this](const Tensor& x, double t) { return self.diagonal(x, t); });
    return Dispersion::matrix([self = *this](const Tensor& x, double t) { return self.matrix(x, t); }, d_);
  }

  /// (div a)_i = sum_j da_ij / dx_j by central differences of fourth order.
  Tensor divergence(const Tensor& x, double t) const {
    const Dispersion sigma = dispersion();
    const double h = 1e-3;
    Tensor sum = at::zeros_like(x);
    for (int64_t j = 0; j < d_; ++j) {
      const Tensor e = h * at::eye(d_, x.options())[j];
      const auto column = [&](double k) { return sigma.diffusion(x + k * e, t).select(2, j); };
      sum += (8 * (column(1) - column(-1)) - (column(2) - column(-2))) / (12 * h);
    }
    return sum;
  }

  bool depends_on_x() const {
    return std::any_of(matrix_.begin(), matrix_.end(), [&](const auto& entry) {
      return std::any_of(variables_.begin(), variables_.end(),
                         [&](const std::string& v) { return v != "t" && entry.second.uses(v); });
    });
  }

 private:
  static Formula formula(const std::string& name, const std::string& text,
                         const std::vector<std::string>& variables) {
    return Formula("sde: " + name, text, variables);
  }
  Formula formula(const std::string& name, const std::string& text) const {
    return formula(name, text, variables_);
  }

  void read_noise(const std::map<std::string, std::string>& parts) {
    int given = parts.contains("sigma");
    bool diagonal = false;
    for (const auto& [name, text] : parts) {
      diagonal = diagonal || is_indexed(name, "sigma", 1, d_);
      full_ = full_ || is_indexed(name, "sigma", 2, d_);
    }
    given += static_cast<int>(diagonal) + static_cast<int>(full_);
    check(given == 1,
          "sde: expected one form of the noise, sigma=..., sigma1=...;.. or sigma11=...;.., but received {}",
          given == 0 ? "none" : "several");
    for (const auto& [name, text] : parts) {
      if (!name.starts_with("sigma")) continue;
      const auto digit = [&, &name = name](size_t k) { return static_cast<int64_t>(name[5 + k] - '1'); };
      const std::pair<int64_t, int64_t> place = name == "sigma" ? std::pair<int64_t, int64_t>(-1, -1)
                                                : full_         ? std::pair(digit(0), digit(1))
                                                                : std::pair(digit(0), digit(0));
      matrix_.emplace(place, formula(name, text));
    }
    if (diagonal)
      for (int64_t i = 0; i < d_; ++i)
        check(matrix_.contains({i, i}), "sde: expected sigma{} of the diagonal too", i + 1);
  }

  /// (n, d) with the other variables' columns.
  Tensor with_time(const Tensor& x, double t) const {
    std::vector<Tensor> columns = {x.to(at::kDouble), at::full({x.size(0), 1}, t, at::kDouble)};
    if (d_ == 1) columns.push_back(columns[0]);
    return at::cat(columns, 1);
  }
  double at_time(double t) const {
    return matrix_.begin()->second(with_time(at::zeros({1, d_}, at::kDouble), t)).item<double>();
  }

  Tensor diagonal(const Tensor& x, double t) const {
    const Tensor rows = with_time(x, t);
    if (matrix_.contains({-1, -1}))
      return matrix_.begin()->second(rows).unsqueeze(1).expand({-1, d_}).to(x.scalar_type());
    std::vector<Tensor> columns;
    columns.reserve(matrix_.size());
    for (const auto& [place, sigma] : matrix_) columns.push_back(sigma(rows));
    return at::stack(columns, 1).to(x.scalar_type());
  }

  Tensor matrix(const Tensor& x, double t) const {
    const Tensor rows = with_time(x, t);
    Tensor all = at::zeros({x.size(0), d_, d_}, at::kDouble);
    for (const auto& [place, sigma] : matrix_)
      all.select(1, place.first).select(1, place.second).copy_(sigma(rows));
    return all.to(x.scalar_type());
  }

  int64_t d_;
  bool full_ = false;
  std::vector<std::string> variables_;
  std::vector<Formula> drift_;
  std::map<std::pair<int64_t, int64_t>, Formula>
      matrix_;  ///< by row and column; (-1, -1) for all of the diagonal
};

}  // namespace

WrittenSde parse_sde(const std::string& text) {
  const std::string name = trimmed(text.substr(0, text.find(':')));
  if (text.find(';') == std::string::npos &&
      (named_diffusions().contains(name) || text.find('=') == std::string::npos))
    return named_diffusions().make(trimmed(text));
  const auto parts = parts_of(text);
  const int64_t d = dimension_of(parts);
  check_names(parts, d);
  const auto formulas = std::make_shared<const Formulas>(parts, d);
  WrittenSde written;
  written.sde = {.drift = [formulas](const Tensor& x, double t) { return formulas->drift(x, t); },
                 .dispersion = formulas->dispersion(),
                 .dimension = d};
  written.state_dependent = formulas->depends_on_x();
  if (written.state_dependent)
    written.sde.divergence = [formulas](const Tensor& x, double t) { return formulas->divergence(x, t); };
  return written;
}

}  // namespace fokker::course
