#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/sde/simulate.h"
#include "fokker/target/distribution.h"

/// p_t of diffusions that have no closed form, from a start, at multiples of a spacing of time.
namespace fokker::course {

/// Kolmogorov's forward equation on a line, dp/dt = -(B p - D p')' with D = a/2 and B = b - D', in cells that
/// exchange mass at the rates of Scharfetter and Gummel (1969), so that p stays positive and its sum one;
/// steps of the implicit Euler method.
class GridLaw {
 public:
  static constexpr int64_t cells = 800, least_steps = 4000;

  GridLaw(Sde sde, const Distribution& start, double end, double spacing, int64_t times, const Rng& rng)
      : sde_(std::move(sde)), spacing_(spacing) {
    place_cells(start, end, times, rng);
    Tensor p = start.log_density(x_.unsqueeze(1)).to(at::kDouble).softmax(0);
    keep(p);
    const int64_t inner = (least_steps + times - 1) / times;
    const double h = spacing / static_cast<double>(inner);
    const bool still = rates_at(0).same(rates_at(end / 3)) && rates_at(0).same(rates_at(end));
    Rates rates = rates_at(h);
    for (int64_t k = 0; k < times * inner; ++k) {
      if (!still) rates = rates_at(static_cast<double>(k + 1) * h);
      p = implicit_step(rates, p, h);
      if ((k + 1) % inner == 0) keep(p);
    }
  }

  Tensor score(const Tensor& x, double t) const {
    const Tensor& s = scores_.at(index(t));
    const Tensor place = ((x.squeeze(1) - x_[0]) / width_).clamp(0, static_cast<double>(cells - 1) - 1e-9);
    const Tensor cell = place.floor().to(at::kLong), share = place - place.floor();
    return ((1 - share) * s.index_select(0, cell) + share * s.index_select(0, cell + 1)).unsqueeze(1);
  }

  Tensor sample_end(int64_t n, const Rng& rng) const {
    const Tensor p = masses_, cumulative = p.cumsum(0), u = rng.uniform({n}, {}, at::kDouble);
    const Tensor cell = at::searchsorted(cumulative, u).clamp_max(cells - 1);
    const Tensor below = (cumulative - p).index_select(0, cell);
    const Tensor share = ((u - below) / p.index_select(0, cell)).clamp(0, 1);
    return (x_.index_select(0, cell) + (share - 0.5) * width_).unsqueeze(1);
  }

 private:
  /// Of mass from each cell to its right neighbour and back: (cells - 1) each.
  struct Rates {
    Tensor right, left;
    bool same(const Rates& other) const {
      return at::allclose(right, other.right) && at::allclose(left, other.left);
    }
  };

  /// Cells over where a few paths go, and half as far again on either side.
  void place_cells(const Distribution& start, double end, int64_t times, const Rng& rng) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    simulate(
        sde_, start.sample(2000, rng.stream("pilot start")), uniform_times(0, end, times),
        {.method = {}, .noise = wiener_increments(rng.stream("pilot")), .observer = [&](const SdeState& s) {
           low = std::min(low, s.x.min().item<double>());
           high = std::max(high, s.x.max().item<double>());
         }});
    const double margin = 0.5 * (high - low);
    width_ = (high - low + 2 * margin) / static_cast<double>(cells);
    x_ = low - margin + width_ * (at::arange(cells, at::kDouble) + 0.5);
  }

  Rates rates_at(double t) const {
    const Tensor border = (x_.slice(0, 0, -1) + 0.5 * width_).unsqueeze(1);
    const Tensor D = (0.5 * sde_.dispersion.diffusion(border, t)).flatten().clamp_min(1e-12);
    const Tensor B = (drift(sde_, border, t) - 0.5 * diffusion_divergence(sde_, border, t)).flatten();
    const Tensor w = B * width_ / D;
    // z / (e^z - 1), and its limit at 0.
    const auto bernoulli = [](const Tensor& z) {
      return at::where(z.abs() < 1e-6, 1 - 0.5 * z, z / z.expm1()).nan_to_num(0);
    };
    const Tensor scale = D / (width_ * width_);
    return {scale * bernoulli(-w), scale * bernoulli(w)};
  }

  /// (I - h L) p' = p by elimination of a tridiagonal matrix.
  static Tensor implicit_step(const Rates& rates, const Tensor& p, double h) {
    Tensor next = p.clone();
    auto right = rates.right.accessor<double, 1>(), left = rates.left.accessor<double, 1>();
    double* q = next.data_ptr<double>();
    std::vector<double> upper(cells);
    for (int64_t i = 0; i < cells; ++i) {
      const double leaves = (i + 1 < cells ? right[i] : 0) + (i > 0 ? left[i - 1] : 0);
      const double below = i > 0 ? -h * right[i - 1] : 0, above = i + 1 < cells ? -h * left[i] : 0;
      const double pivot = 1 + h * leaves - (i > 0 ? below * upper[static_cast<size_t>(i - 1)] : 0);
      upper[static_cast<size_t>(i)] = above / pivot;
      q[i] = (q[i] - (i > 0 ? below * q[i - 1] : 0)) / pivot;
    }
    for (int64_t i = cells - 2; i >= 0; --i) q[i] -= upper[static_cast<size_t>(i)] * q[i + 1];
    return next;
  }

  void keep(const Tensor& p) {
    masses_ = p;
    const Tensor l = p.clamp_min(1e-300).log();
    Tensor s = at::empty({cells}, at::kDouble);
    s.slice(0, 1, -1).copy_((l.slice(0, 2) - l.slice(0, 0, -2)) / (2 * width_));
    s[0] = s[1];
    s[cells - 1] = s[cells - 2];
    scores_.push_back(s);
  }

  size_t index(double t) const {
    return static_cast<size_t>(
        std::clamp<int64_t>(std::lround(t / spacing_), 0, static_cast<int64_t>(scores_.size()) - 1));
  }

  Sde sde_;
  double spacing_, width_ = 0;
  Tensor x_, masses_;
  std::vector<Tensor> scores_;
};

}  // namespace fokker::course
