#include "fokker/objective/score_matching.h"

#include <ATen/core/grad_mode.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

void check_score(const Tensor& score, const Tensor& x) {
  check(score.sizes() == x.sizes(), "score matching: expected a score of shape {} but received {}",
        shape_string(x), shape_string(score));
}

/// loss(s, x) for a leaf copy of x, recording derivatives even where the caller does not.
template <typename Loss>
Tensor with_derivatives(const ScoreFunction& score, const Tensor& x, Loss loss) {
  const bool recording = at::GradMode::is_enabled();
  const GradientMode on(true);
  const Tensor leaf = x.detach().requires_grad_();
  const Tensor s = score(leaf);
  check_score(s, x);
  const Tensor value = loss(s, leaf);
  return recording ? value : value.detach();
}

void check_depends(const Tensor& score) {
  check(score.requires_grad(), "divergence: expected a score that depends on x");
}

}  // namespace

Tensor exact_divergence(const Tensor& score, const Tensor& x) try {
  check_depends(score);
  const Tensor flat = score.flatten(1);
  Tensor divergence;
  for (int64_t i = 0; i < flat.size(1); ++i) {
    const Tensor column = gradients(flat.select(1, i), {x}, /*create_graph=*/true)[0].flatten(1).select(1, i);
    divergence = divergence.defined() ? divergence + column : column;
  }
  return divergence;
} catch (...) {
  detail::throw_as_error();
}

Tensor directional_divergence(const Tensor& score, const Tensor& x, const Tensor& directions) try {
  check_depends(score);
  check(directions.sizes() == x.sizes(), "divergence: expected directions of shape {} but received {}",
        shape_string(x), shape_string(directions));
  const Tensor product = gradients(score * directions, {x}, /*create_graph=*/true)[0];
  return sum_events(product * directions);
} catch (...) {
  detail::throw_as_error();
}

Tensor fisher_divergence(const ScoreFunction& score, const Distribution& target, const Tensor& x) try {
  const Tensor s = score(x);
  check_score(s, x);
  return sum_events((target.score(x) - s).square());
} catch (...) {
  detail::throw_as_error();
}

Tensor implicit_score_matching(const ScoreFunction& score, const Tensor& x) try {
  return with_derivatives(score, x, [](const Tensor& s, const Tensor& leaf) {
    return sum_events(s.square()) + 2 * exact_divergence(s, leaf);
  });
} catch (...) {
  detail::throw_as_error();
}

Tensor sliced_score_matching(const ScoreFunction& score, const Tensor& x, const Tensor& directions,
                             SlicedNorm norm) try {
  check(directions.dim() == x.dim() + 1 && directions.size(0) > 0 && directions[0].sizes() == x.sizes(),
        "sliced score matching: expected directions of shape (k, {} but received {}",
        shape_string(x).substr(1), shape_string(directions));
  return with_derivatives(score, x, [&](const Tensor& s, const Tensor& leaf) {
    const auto k = directions.size(0);
    Tensor total;
    for (int64_t i = 0; i < k; ++i) {
      const Tensor v = directions[i];
      const Tensor square = sum_events(norm == SlicedNorm::exact ? s.square() : s * v);
      const Tensor term =
          (norm == SlicedNorm::exact ? square : square.square()) + 2 * directional_divergence(s, leaf, v);
      total = total.defined() ? total + term : term;
    }
    return total / static_cast<double>(k);
  });
} catch (...) {
  detail::throw_as_error();
}

Tensor denoising_score_matching(const ScoreFunction& score, const Tensor& x0, const Tensor& noise,
                                double sigma) try {
  check(sigma > 0, "denoising score matching: expected sigma > 0 but received {}", sigma);
  const Tensor s = score(x0 + sigma * noise);
  check_score(s, x0);
  return sum_events((s + noise / sigma).square());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
