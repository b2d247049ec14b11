#include "fokker/sample/method/exponential/deis.h"

#include "fokker/sample/step/weights.h"

namespace fokker {

Deis::Deis(Options options) : RatioMultistep("deis", options.order, 3, options.start), options_(options) {}

double Deis::place(const GaussianProcess& process, double t) const {
  return options_.variable == Variable::time ? t : process.log_snr(t);
}

std::vector<double> Deis::weights(const GaussianProcess& process, const RatioStep& step, const Past& past,
                                  const StepContext& context) const {
  // A polynomial in the log-SNR says nothing at sigma = 0, where that is infinite: keep the newest value
  // alone.
  if (options_.variable == Variable::log_snr && step.to == 0) return {1};
  const size_t used = usable(past, context, options_.lower_order_final);
  // Means over the step, in r, of the powers of the variable measured from its value at t.
  static const GaussRule rule = gauss_legendre(32);
  std::vector<double> nodes, moments(used, 0.0);
  const double from = place(process, context.t), unit = used > 1 ? past[1].place - from : 1.0;
  for (size_t j = 0; j < used; ++j) nodes.push_back((past[j].place - from) / unit);
  for (size_t i = 0; i < rule.nodes.size(); ++i) {
    const double t = time_of_ratio(process, std::lerp(step.from, step.to, rule.nodes[i]));
    for (size_t k = 0; k < moments.size(); ++k)
      moments[k] += rule.weights[i] * std::pow((place(process, t) - from) / unit, static_cast<double>(k));
  }
  return interpolatory_weights(nodes, moments);
}

}  // namespace fokker
