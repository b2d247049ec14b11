#include <numbers>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/chain.h"

namespace fokker::verify {
namespace {

using Form = ChainObjective::Form;

/// A way in which eps_theta may differ from the optimum.
struct Direction {
  std::string name;
  Tensor (*value)(const Tensor& x, double t);
};

const std::vector<Direction>& directions() {
  static const std::vector<Direction> all = {
      {"1", [](const Tensor& x, double) { return at::ones_like(x); }},
      {"x", [](const Tensor& x, double) { return x; }},
      {"t sin 3x", [](const Tensor& x, double t) { return t * (3 * x).sin(); }},
      {"x^2 cos 2 pi t",
       [](const Tensor& x, double t) { return std::cos(2 * std::numbers::pi * t) * x.square(); }}};
  return all;
}

/// The loss of eps* + c direction at each row, with the steps 1..N in turn.
class PerturbedLoss {
 public:
  PerturbedLoss(const ChainTable& chain, Form form, const GaussianMixture& model, const Trial& trial)
      : chain_(chain),
        objective_({.form = form, .steps = chain.steps()}),
        exact_(model, chain.process()),
        batch_{.x0 = trial.settings().law().sample(trial.settings().integer("n"), trial.rng().stream("data")),
               .label = {}},
        steps_(at::arange(trial.settings().integer("n"), at::kDouble)
                   .remainder(static_cast<double>(chain.steps())) +
               1),
        rng_(trial.rng().stream("loss")) {}

  Tensor operator()(const Direction& direction, double c) const {
    const auto value = [&](const Tensor& x, const Times& t) {
      const Tensor times = t.tensor(x.size(0));
      Tensor change = at::zeros_like(x);
      for (int64_t i = 1; i <= chain_.steps(); ++i)
        change =
            at::where((times == chain_.time(i)).unsqueeze(1), direction.value(x, chain_.time(i)), change);
      return exact_.estimate(x, t).noise() + c * change;
    };
    const FunctionDenoiser model(value, chain_.process(), Prediction::noise());
    return objective_.loss_at(model, batch_, steps_, rng_);
  }

 private:
  const ChainTable& chain_;
  ChainObjective objective_;
  AnalyticDenoiser exact_;
  Batch batch_;
  Tensor steps_;
  Rng rng_;
};

/// sum_i w_i E[direction^2 under q(x_i)] by quadrature, with the weights that the form has (a mean over i
/// for the simple one).
double rise(const GaussianMixture& law, const ChainTable& chain, Form form, const Direction& direction) {
  const LineMixture data = LineMixture::of(law);
  double sum = 0;
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    // The nodes are fine enough for sin 3x too.
    const Line nodes = line_over(law.noised(std::sqrt(chain.alphabar(i)), chain.sigma(i)), 0.3);
    const Tensor density = data.log_density(nodes.x, std::sqrt(chain.alphabar(i)), chain.sigma(i)).exp();
    const double weight =
        form == Form::simple ? 1 / static_cast<double>(chain.steps()) : chain.noise_weight(i);
    sum += weight * nodes.integral(density * direction.value(nodes.x, chain.time(i)).square());
  }
  return sum;
}

/// At the exact denoiser the slope of the loss is zero in every direction, and a step in it raises the loss.
void minimiser(Form form, const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const GaussianMixture& law = trial.settings().law();
  const GaussianMixture moments = GaussianMixture::gaussian(law.mean(), law.covariance());
  const PerturbedLoss loss(chain, form, trial.has("exact") ? law : moments, trial);
  const double c = 0.5;
  for (const Direction& direction : directions()) {
    const Tensor above = loss(direction, c), at = loss(direction, 0), below = loss(direction, -c);
    // The loss is quadratic in c, so the central difference is the derivative.
    evidence.equal("slope along " + direction.name, mean_of((above - below) / (2 * c)), 0);
    evidence.equal("rise along " + direction.name, mean_of(above - at),
                   c * c * rise(law, chain, form, direction));
  }
}

}  // namespace

void add_s1_minimiser(Checks& checks) {
  const std::vector<std::pair<std::string, Form>> forms = {{"path", Form::path_likelihood},
                                                           {"mean", Form::mean_matching},
                                                           {"weighted", Form::weighted_noise},
                                                           {"simple", Form::simple}};
  for (const auto& [name, form] : forms)
    checks.push_back(
        {.id = "s1.objective.minimiser-" + name,
         .source = "S1, bringing everything together",
         .statement = "The exact denoiser attains the minimum of this form of the loss",
         .measure = [form = form](const Trial& t, Evidence& e) { minimiser(form, t, e); },
         .ingredients = {{"exact", "the denoiser is that of a normal law of the same moments"}},
         .settings = {Setting::law(
                          [] {
                            return course::Laws{LineMixture({0.4, 0.6}, {-1.2, 0.8}, {0.1, 0.1}).mixture()};
                          },
                          "0.4 N(-1.2, 0.1) + 0.6 N(0.8, 0.1)"),
                      table_setting(ChainTable::short_chain(), "0.05, 0.1, 0.2, 0.4, 0.6", 30),
                      Setting::integer("n", 40'000, 500, 1'000'000, "draws")}});
}

}  // namespace fokker::verify
