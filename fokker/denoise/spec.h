#pragma once
#include "fokker/core/text/json.h"
#include "fokker/denoise/prediction.h"

namespace fokker {

/// What a network receives as its time: scale * t + offset, or log(sigma/alpha)/4 (Karras et al. 2022,
/// c_noise). A chain's index i - 1 at t = i/N is {scale N, offset -1}, as diffusers and the notebook number
/// their steps.
struct TimeInput {
  enum class Kind { time, quarter_log_sigma };
  Kind kind = Kind::time;
  double scale = 1.0;
  double offset = 0.0;
};

/// That input at the times of a batch: (n) or (1), of the type of x.
Tensor network_time(const TimeInput& input, const GaussianProcess& process, const Times& t, const Tensor& x);

struct DenoiserSpec;
/// 1/sqrt(alpha^2 sigma_data^2 + sigma^2), by which a scaled input has unit variance; shaped to multiply x.
Tensor input_scale(const DenoiserSpec& spec, const Tensor& x, const Times& t);

/// What a network means: everything that turns it into a denoiser, but its weights.
struct DenoiserSpec {
  enum class Kind {
    prediction,  ///< the network's value is the prediction's (LearnedDenoiser)
    energy,      ///< the network is a potential, one number a row (EnergyDenoiser)
  };

  GaussianProcess process;
  Prediction prediction = Prediction::velocity();  ///< plays no part for an energy
  TimeInput time_input = {};
  /// Divide the network's input by sqrt(alpha^2 sigma_data^2 + sigma^2), its standard deviation (EDM's c_in).
  /// An energy's input always is.
  bool scale_input = false;
  /// Standard deviation of the data: of the scaled input, of an energy, and of EDM's prediction.
  double sigma_data = 1.0;
  Kind kind = Kind::prediction;

  /// An energy of data of that standard deviation, which is told t.
  static DenoiserSpec of_energy(GaussianProcess process, double sigma_data = 1.0);

  bool is_energy() const { return kind == Kind::energy; }
  /// What an estimate holds: the prediction, or for an energy EDM's, of which its force is the value.
  Prediction native() const;
  /// "energy", or the name of the prediction.
  std::string name() const;

  /// The members "process", "prediction", "time_input", "scale_input" and "sigma_data" of fokker.json.
  Json to_json() const;
  /// Reads them from among others. Input errors name `file` and the member.
  static DenoiserSpec from_json(const Json& json, const std::string& file = "specification of a denoiser");
};

/// Argument error unless sigma_data is positive, and that of an EDM prediction too.
void check_spec(const DenoiserSpec& spec);

/// What a network can be: the predictions by name, and "energy".
std::vector<std::string> denoiser_names();

}  // namespace fokker
