#pragma once
#include <string>

#include "cli/option/command.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/plot/film/particle_film.h"

namespace fokker::cli {

/// How a picture looks.
struct PictureOptions {
  std::string title, theme = "light";
  int64_t width = 0, height = 0;  ///< pixels; 0: what suits the picture
};
void describe_picture(Command& command, PictureOptions& options);
plot::Theme theme_of(const PictureOptions& options);
plot::ChartOptions chart_of(const PictureOptions& options);

/// Refuses these options where they would do nothing.
void refuse_picture(const Command& command, const std::string& reason);

/// An animation beside a picture.
struct FilmOptions {
  std::string file;  ///< empty: none
  int64_t frames = 100, loops = 0;
  double rate = 20, hold = 1;
};
void describe_film(Command& command, FilmOptions& options);
/// Refuses the options of an animation where there is none.
void refuse_film(const Command& command);
void save_film(const FilmOptions& options, const plot::ParticleFilm& film);

/// Refuse, before any work is done, a file whose format is unknown or whose folder cannot be written. An
/// empty name is no file.
void check_picture(const std::string& file);
void check_film(const FilmOptions& options);

}  // namespace fokker::cli
