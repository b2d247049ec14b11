#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/denoise/prediction.h"

namespace fokker {

/// How much each time counts in a denoising loss. A weighting multiplies the squared error of one quantity;
/// since all predictions are linear in (x_t, value), it is applied to the native error with the conversion's
/// factor.
class Weighting {
 public:
  /// 1 on the network's own output: for the noise prediction this is DDPM's L_simple.
  static Weighting uniform();
  /// 1 on the noise error whatever is predicted: DDPM's L_simple (the lecture on denoising diffusion, step
  /// 5).
  static Weighting simple();
  /// On the noise error: beta_i/(2 (1 - beta_i)(1 - alphabar_i)) N for a chain (the lecture on denoising
  /// diffusion, step 4; the sum over steps becomes N times a mean over t), g^2/(2 sigma^2) in continuous time
  /// (Song et al. 2021b, Theorem 1).
  static Weighting likelihood();
  /// SNR on the data error; the same loss as `simple`.
  static Weighting snr();
  /// min(SNR, gamma) on the data error (Hang et al. 2023).
  static Weighting min_snr(double gamma = 5.0);
  /// (s^2 + sd^2)/(s sd)^2 on the data error with s = sigma/alpha (Karras et al. 2022): 1 on EDM's own
  /// output.
  static Weighting edm();
  using Function = std::function<double(const Prediction&, const ScheduleModel&, double t)>;
  /// A user's own factor on the squared native error.
  explicit Weighting(Function function) : function_(std::move(function)) {}
  /// A user's weight w(t) on the noise error.
  static Weighting user(std::function<double(double t)> weight);

  /// uniform, simple, likelihood, snr, min-snr, edm, and those registered; parameters as "min-snr:gamma=3".
  static Weighting from_name(std::string_view spec);
  static std::vector<std::string> names();
  static std::vector<Description> descriptions();

  /// The factor on the squared native error at time t.
  double operator()(const Prediction& prediction, const ScheduleModel& schedule, double t) const {
    return function_(prediction, schedule, t);
  }

 private:
  Function function_;
};

/// Adds a weighting under a name. Argument error where the name is taken.
void register_weighting(const std::string& name, std::function<Weighting(Spec&)> make,
                        const std::string& summary = "");

}  // namespace fokker
