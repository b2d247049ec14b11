#pragma once
#include <cstdint>

namespace fokker::kernel {

// The loops of mixture_softmax in high dimension, on raw memory. With m the means, a the anchor, the logit of
// component k relative to a's is slope (m_k - m_a).(x - alpha (m_k + m_a) / 2) + log w_k - log w_a: no large
// number cancels in it.

/// (m - anchor).(x - alpha (m + anchor) / 2).
double relative_product(const double* x, const double* mean, const double* anchor, double alpha, int64_t d);
/// sum += weight (mean - anchor).
void add_difference(double weight, const double* mean, const double* anchor, int64_t d, double* sum);

/// Place of the first of the largest logits; 0 where none is above -inf.
int64_t place_of_largest(const float* logits, int64_t count);
/// How many logits are above the threshold.
int64_t count_above(const float* logits, float threshold, int64_t count);
/// Indices of the logits above the threshold, at most `capacity` of them; returns how many there are, or
/// capacity + 1.
int64_t indices_above(const float* logits, float threshold, int64_t count, int64_t* indices,
                      int64_t capacity);
/// logits -> exp(logits - shift) for logits up to the shift, within 1e-6 of 1; returns their sum.
double exponentials_in_place(float* logits, float shift, int64_t count);

}  // namespace fokker::kernel
