#pragma once
#include <functional>
#include <string>
#include <vector>

#include "fokker/plot/chart/charts.h"
#include "fokker/plot/film/animation.h"

namespace fokker::plot {

struct ParticleFilmOptions {
  ChartOptions chart = {};      ///< its title stands before the time; size 0: what suits the dimension
  std::string time_name = "t";  ///< or "step"
  std::string density_label = "exact density";
};

/// Particles over time, as the frames of an animation with axes that stand still. One coordinate: their
/// histogram, the density where it is known, and the particles themselves. More: the first two coordinates of
/// the particles, on the density where there are two in all.
class ParticleFilm {
 public:
  /// density(x (m, d), t) -> (m), or an undefined tensor where there is none at that time.
  using Density = std::function<Tensor(const Tensor& x, double t)>;

  /// `density` is empty where it is not known. states: (steps + 1, n, d); times: one of each. Input error
  /// where they do not fit or are not finite.
  ParticleFilm(const Tensor& states, std::vector<double> times, Density density = {},
               ParticleFilmOptions options = {});

  int64_t steps() const { return states_.size(0) - 1; }
  /// The picture of one state, 0 <= step <= steps().
  Figure frame(int64_t step) const;

 private:
  Figure line_frame(int64_t step) const;
  Figure plane_frame(int64_t step) const;
  void add_ground(Axes& axes, double t) const;
  std::string title(int64_t step) const;

  Tensor states_;
  std::vector<double> times_;
  Density density_;
  ParticleFilmOptions options_;
  Range x_, y_ = {};  // limits of all frames
  int64_t bins_ = 0;
};

/// The state that frame i of `frames` evenly spaced ones shows: the first is that of step 0, the last the
/// last.
int64_t film_step(const ParticleFilm& film, int64_t i, int64_t frames);

/// Writes the film with at most `frames` of its states, evenly spaced, the first and the last among them.
void save_film(const std::filesystem::path& path, const ParticleFilm& film, int64_t frames,
               const AnimationOptions& options = {});

}  // namespace fokker::plot
