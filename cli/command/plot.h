#pragma once
#include "cli/plot/convergence.h"
#include "cli/plot/picture.h"
#include "fokker/data/dataset.h"

namespace fokker::cli {

/// The options of `fokker plot`; each kind takes its own.
struct PlotOptions {
  CommonOptions common;
  PictureOptions picture;
  FilmOptions film;
  DataOptions reading;  ///< grid: `columns` is the number of images per row
  StudyOptions study;   ///< its target and process serve other kinds too
  std::string kind, out, times, path_times, data, limits;
  std::vector<std::string> inputs;
  int64_t arrows = 20, contours = 6, resolution = 200, highlight = 4;
  bool table = false, over_time = false;
};

/// One function per kind of picture, in the file of its name.
void draw_scatter(const PlotOptions& options);
void draw_grid(const PlotOptions& options);
void draw_loss(const PlotOptions& options);
void draw_schedule(const PlotOptions& options);
void draw_density(const PlotOptions& options);
void draw_score_field(const PlotOptions& options);
void draw_trajectory(const PlotOptions& options);

/// The target or file that a picture is of: `--target`, or the only input. Argument error where there is none
/// or several.
std::string subject_of(const PlotOptions& options);

}  // namespace fokker::cli
