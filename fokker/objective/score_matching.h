#pragma once
#include <functional>

#include "fokker/target/distribution.h"

namespace fokker {

/// s(x), (n, event...) -> the same shape.
using ScoreFunction = std::function<Tensor(const Tensor& x)>;

/// The divergence sum_i d s_i / d x_i of each row, (n), exact: one derivative for each of the d coordinates.
/// `score` is a function of the leaf `x` and its rows do not depend on each other's x. Differentiable again.
/// Argument error where `score` does not depend on x.
Tensor exact_divergence(const Tensor& score, const Tensor& x);
/// v . grad(v . s) of each row, (n), for directions v of the shape of x: its mean over v with E[v v^T] = I is
/// the divergence (Hutchinson 1989; Song et al. 2019, sliced score matching).
Tensor directional_divergence(const Tensor& score, const Tensor& x, const Tensor& directions);

/// The lecture on score matching, eq. 4.2, the Fisher divergence: |grad log mu(x) - s(x)|^2 per row, (n).
Tensor fisher_divergence(const ScoreFunction& score, const Distribution& target, const Tensor& x);
/// The lecture on score matching, eq. 4.3 (Hyvarinen 2005): |s(x)|^2 + 2 div s(x) per row, (n). Over x ~ mu
/// its mean is the Fisher divergence less E|grad log mu|^2, for any s that decays.
Tensor implicit_score_matching(const ScoreFunction& score, const Tensor& x);

/// Whether sliced score matching keeps |s|^2 (less variance) or slices it too, (v . s)^2.
enum class SlicedNorm { exact, sliced };
/// Song et al. (2019), eqs. 7 and 8: implicit score matching along `directions` (k, n, event...), averaged
/// over the k of them; unbiased for it where E[v v^T] = I.
Tensor sliced_score_matching(const ScoreFunction& score, const Tensor& x, const Tensor& directions,
                             SlicedNorm norm = SlicedNorm::exact);
/// The lecture on score matching, eq. 4.4 (Vincent 2011), with standard normal noise: |s(x0 + sigma noise) +
/// noise / sigma|^2 per row. Its mean is the Fisher divergence from mu * N(0, sigma^2 I) plus a constant.
Tensor denoising_score_matching(const ScoreFunction& score, const Tensor& x0, const Tensor& noise,
                                double sigma);

}  // namespace fokker
