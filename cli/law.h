#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/load.h"
#include "fokker/plot/film/particle_film.h"
#include "fokker/plot/mark/heatmap.h"

namespace fokker::cli {

/// The law of x_t of a target under a process, as it is drawn.
struct Law {
  double time = 0;
  Tensor samples;  ///< (n, d) float64: where it lies, and what a kernel estimate is made of
  /// x (m, d) -> (m); empty where it is not known in closed form.
  std::function<Tensor(const Tensor& x)> density = {};
  int64_t dimension() const { return samples.size(1); }
  /// "density", or how it was estimated.
  std::string label() const;
};

/// `target` is TARGET or a file of rows, read as `reading` says; `process` may be empty where t = 0. Exact
/// where the target is a mixture, or at t = 0 has a density; else samples alone. Argument error where there
/// are not even samples, or where the law consists of points without being a file's.
Law law_at(const std::string& target, const std::string& process, double time, uint64_t seed,
           const LoadOptions& reading = {});

/// Limits that show every one of the laws.
plot::Extent extent_of(const std::vector<Law>& laws);
/// "x0,x1" or "x0,x1,y0,y1" in place of what `extent` says; empty leaves it.
plot::Extent with_limits(plot::Extent extent, const std::string& limits);

/// The densities of x_t over time where the target is a mixture; empty otherwise.
plot::ParticleFilm::Density exact_density(const std::string& target, const std::string& process,
                                          const LoadOptions& reading = {});

}  // namespace fokker::cli
