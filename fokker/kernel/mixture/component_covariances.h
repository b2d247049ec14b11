#pragma once
#include "fokker/core/tensor.h"

namespace fokker::kernel {

/// A mixture at one noise level whose components have covariances of their own: x given component k is
/// N(means_k, A_k diag(1 / precisions_k) A_k^T), with the eigenvectors A_k in columns. Float64.
struct ComponentCovariances {
  Tensor means;       ///< (k, d), of x: alpha times those of the data
  Tensor precisions;  ///< (k, d)
  Tensor logits;      ///< (k): log w_k + log of the Gaussian's largest density, up to a constant
  Tensor axes;        ///< (k, d, d), or undefined where they are the coordinate axes
};

/// What x, (n, d), says, with r_k the residual x - m_k along the axes of component k and p_k = p(k | x).
struct ComponentMoments {
  Tensor log_total;          ///< (n): log sum_k exp(logit)
  Tensor weighted_residual;  ///< (n, d): sum_k p_k A_k precision_k r_k
  Tensor explained;          ///< (n, d): sum_k p_k A_k gain_k r_k
  Tensor mean;               ///< (n, d): sum_k p_k data_mean_k
};

/// One pass over the components for logits and one over those that matter for moments, several components at
/// a time; nothing of (n, k, d) is kept. gains, data_means: (k, d). No gradients, on the CPU. Meant for few
/// dimensions where `axes` are defined: it copies all parameters into columns.
ComponentMoments component_moments(const ComponentCovariances& mixture, const Tensor& gains,
                                   const Tensor& data_means, const Tensor& x);

/// What two parts of a mixture say together.
ComponentMoments joined(const ComponentMoments& first, const ComponentMoments& second);

}  // namespace fokker::kernel
