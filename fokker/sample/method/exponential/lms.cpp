#include "fokker/sample/method/exponential/lms.h"

#include "fokker/sample/step/weights.h"

namespace fokker {

double LinearMultistep::place(const GaussianProcess& process, double t) const {
  return process.sigma(t) / process.alpha(t);
}

std::vector<double> LinearMultistep::weights(const GaussianProcess&, const RatioStep& step, const Past& past,
                                             const StepContext&) const {
  std::vector<double> nodes, moments;
  for (size_t k = 0; k < past.size(); ++k) {
    nodes.push_back((past[k].place - step.from) / step.length());
    moments.push_back(1 / static_cast<double>(k + 1));
  }
  return interpolatory_weights(nodes, moments);
}

}  // namespace fokker
