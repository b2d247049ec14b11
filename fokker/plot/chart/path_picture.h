#pragma once
#include <string>
#include <vector>

#include "fokker/plot/chart/charts.h"
#include "fokker/plot/film/particle_film.h"

namespace fokker::plot {

struct PathPictureOptions {
  ChartOptions chart = {};
  std::string time_name = "t";  ///< or "step"
  int64_t highlighted = 4;
};

/// Paths of particles, states (times, n, d). One coordinate: over time, on p_t(x) where it is known, each
/// time relative to its maximum. Two or more: the first two coordinates in the plane, with where they end.
Figure path_picture(const Tensor& states, const std::vector<double>& times,
                    const ParticleFilm::Density& density = {}, const PathPictureOptions& options = {});

/// Particles at six times side by side, the first two coordinates of states (times, n, d), d >= 2.
Figure state_panels(const Tensor& states, const std::vector<double>& times,
                    const PathPictureOptions& options = {});

}  // namespace fokker::plot
