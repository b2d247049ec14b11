#pragma once
#include "cli/option/data_options.h"
#include "fokker/evaluate/convergence.h"

namespace fokker::cli {

/// Which samplers are compared, on what, and how their error is measured.
struct StudyOptions {
  std::string run, target, process, samplers, grid;
  LoadOptions reading;  ///< of the target's file
  std::string measure = "path";
  std::string steps;        ///< all methods at these numbers of steps: orders of convergence
  std::string evaluations;  ///< whole runs within these budgets of denoiser calls: what to use
  double start = 0.95, end = 0.1;
  int64_t samples = 0;
  std::string reference = "dpmpp-2m";  ///< of a run folder, in `reference_steps`
  int64_t reference_steps = 500;
};

/// One sampler's errors.
struct StudyRow {
  std::string sampler;
  SamplerOrder order;
  double declared = 0;  ///< the order that the measure should show; 0 where there is none
  Convergence found;
  std::optional<double> measured = {};
};

struct Study {
  ErrorMeasure measure = ErrorMeasure::path;
  bool by_budget = false;
  std::vector<int64_t> asked;  ///< steps or evaluations
  std::vector<StudyRow> rows;
  double floor = 0;  ///< the error of exact samples; 0 for paths
};

/// Runs every sampler asked for (all that suit the measure where none is named). The exact denoiser of a
/// target is compared with the truth; a run folder with a reference run from the same noise.
Study study_samplers(const StudyOptions& options, const CommonOptions& common);

Json study_json(const Study& study);
/// A table in Markdown.
std::string study_table(const Study& study);

}  // namespace fokker::cli
