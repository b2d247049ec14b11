#pragma once
#include <optional>
#include <string>

#include "fokker/evaluate/loss_profile.h"
#include "fokker/report/sections.h"

namespace fokker::report {

/// What the profile is measured on and compared with.
struct Profiles {
  LossProfile measured;
  std::string rows;
  int64_t measured_rows = 0;  ///< of these that are different
  std::optional<LossProfile> training;
  LossProfile best;
  std::string best_name, best_meaning;
};

/// The weighting that a model was trained with, or uniform where its objective has its own.
std::string weighting_of(const TrainingRecord& training);

/// On held-out rows where there are some, or on fresh draws where the law is known; beside the least
/// possible, or a bound of it on training rows.
Profiles measure_profiles(const Material& m);

}  // namespace fokker::report
