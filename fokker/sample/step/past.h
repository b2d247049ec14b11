#pragma once
#include <deque>

#include "fokker/sample/sampler.h"

namespace fokker {

/// What a multistep method knows from an earlier step: a value at a place in the method's own variable.
struct PastValue {
  double place = 0;
  Tensor value;
};

/// The past of a run, newest first; lives in StepContext::history.
using Past = std::deque<PastValue>;

inline Past& past_of(StepContext& context) {
  if (!context.history.has_value()) context.history = Past();
  return std::any_cast<Past&>(context.history);
}

/// Puts a value first and keeps `count` in all. A place at infinity (alpha = 0 or sigma = 0) is not kept: no
/// polynomial passes through it, and the run starts anew from the next one.
inline void remember(Past& past, PastValue value, size_t count) {
  if (!std::isfinite(value.place)) return;
  past.push_front(std::move(value));
  if (past.size() > count) past.pop_back();
}

/// sum_j weights_j value_j, newest first, over as many as there are weights.
inline Tensor weighted_sum(const Past& past, const std::vector<double>& weights) {
  Tensor sum = past[0].value * weights[0];
  for (size_t j = 1; j < weights.size(); ++j) sum.add_(past[j].value, weights[j]);
  return sum;
}

/// How many values of the past a step uses: all, or with `lower_order_final` no more than there are steps
/// left, this one included, so that the order falls to 1.
inline size_t usable(const Past& past, const StepContext& context, bool lower_order_final) {
  const auto left = static_cast<size_t>(context.steps - context.index);
  return lower_order_final ? std::min(past.size(), left) : past.size();
}

/// How a multistep method of order p > 2 takes its first steps.
enum class Start {
  lower_order,  ///< orders 1, 2, ..., as published: no extra evaluations, and order 2 overall, since the
                ///< first step of order 1 costs an error O(h^2)
  runge_kutta,  ///< single steps of sufficient order: order p overall, for a few evaluations more
};

/// What a deterministic multistep method of full order p has when it starts so.
inline SamplerOrder multistep_order(int64_t p, Start start) {
  const auto full = static_cast<double>(p);
  const double order = start == Start::runge_kutta ? full : std::min(full, 2.0);
  return {.deterministic = true, .strong = order, .weak = order};
}

}  // namespace fokker
