#pragma once
#include "cli/plot/sampler_study.h"
#include "fokker/plot/figure/theme.h"

namespace fokker::cli {

/// What is shown of a study: a picture, a table on standard output, or both.
struct StudyPicture {
  std::string out;  ///< empty: no picture
  std::string title;
  plot::Theme theme;
  bool table = false;
};

/// Binds the options of `fokker plot convergence`.
void describe_study(Command& command, StudyOptions& options, bool& table);

/// Measures the samplers, draws their errors against the work, and prints the figures.
void show_study(const StudyOptions& options, const StudyPicture& picture, const CommonOptions& common);

}  // namespace fokker::cli
