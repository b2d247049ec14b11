#include "fokker/train/step_exchange.h"

#include <algorithm>
#include <numeric>

namespace fokker {
namespace {

constexpr int64_t said_beside = 4;

/// Numbers of a bucket: 512 KiB for each rank. A ring's rounds are twice as many as ranks, whatever they
/// carry.
int64_t bucket_numbers(const Ranks& ranks) {
  return ranks.size() << 17;
}

void write_beside(const Ranks& ranks, double loss, const Votes& votes, const Tensor& beside) {
  beside.copy_(
      at::tensor({loss, ranks.root() ? votes.seconds : 0.0, votes.stop ? 1.0 : 0.0, votes.end ? 1.0 : 0.0},
                 at::TensorOptions(at::kDouble)));
}

Votes read_beside(const Tensor& beside, double& loss) {
  const Tensor all = beside.to(at::kDouble);
  const auto* said = all.data_ptr<double>();
  loss = said[0];
  return {.seconds = said[1], .stop = said[2] > 0, .end = said[3] > 0};
}

}  // namespace

void StepExchange::lay_out(const std::vector<FlatParameters::Place>& places, int64_t least) {
  sorted_ = std::is_sorted(order_.begin(), order_.end());
  position_.assign(places.size(), 0);
  buckets_.clear();
  Bucket bucket;
  for (size_t i = 0; i < order_.size(); ++i) {
    position_[order_[i]] = bucket.first + bucket.count;
    bucket.count += places[order_[i]].count;
    bucket.end = i + 1;
    if (bucket.count < least && bucket.end < order_.size()) continue;
    buckets_.push_back(bucket);
    bucket = {.begin = bucket.end, .end = bucket.end, .first = bucket.first + bucket.count};
  }
  // What is said beside the gradients goes with the last.
  buckets_.back().count += said_beside;
}

/// The gradient of this rank, and from now on the order of rank 0.
Tensor StepExchange::learn_order(const Ranks& ranks, FlatParameters& parameters, const Tensor& loss) {
  std::vector<int64_t> told;
  const Tensor own =
      parameters.gradient(loss, [&](size_t i, const Tensor&) { told.push_back(static_cast<int64_t>(i)); });
  const Tensor order = at::tensor(told, at::kLong);
  ranks.broadcast(order);
  order_.assign(order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + order.numel());
  lay_out(parameters.places(), bucket_ > 0 ? bucket_ : bucket_numbers(ranks));
  buffer_ =
      at::empty({parameters.values().numel() + said_beside}, parameters.values().options().device(at::kCPU));
  return own;
}

void StepExchange::copy_in(size_t parameter, const Tensor& gradient) {
  buffer_.narrow(0, position_[parameter], gradient.numel()).copy_(gradient);
}

Tensor StepExchange::in_order_of_values(const FlatParameters& parameters) {
  const Tensor& values = parameters.values();
  if (sorted_) return buffer_.narrow(0, 0, values.numel()).to(values.device());
  if (!values_.defined()) values_ = at::empty_like(buffer_.narrow(0, 0, values.numel()));
  const auto& places = parameters.places();
  for (size_t i = 0; i < places.size(); ++i)
    values_.narrow(0, places[i].first, places[i].count)
        .copy_(buffer_.narrow(0, position_[i], places[i].count));
  return values_.to(values.device());
}

Tensor StepExchange::gradient(const Ranks& ranks, FlatParameters& parameters, const Tensor& loss,
                              double& value, Votes& votes) {
  const auto& places = parameters.places();
  Tensor own;
  if (order_.empty()) own = learn_order(ranks, parameters, loss);
  const Tensor beside = buffer_.narrow(0, parameters.values().numel(), said_beside);
  write_beside(ranks, value, votes, beside);
  PartwiseSum sum(ranks, buffer_);
  std::vector<bool> there(places.size(), false);
  auto next = buckets_.begin();
  const auto take = [&](size_t parameter, const Tensor& gradient) {
    copy_in(parameter, gradient);
    there[parameter] = true;
    for (; next != buckets_.end(); ++next) {
      const bool complete =
          std::all_of(order_.begin() + static_cast<int64_t>(next->begin),
                      order_.begin() + static_cast<int64_t>(next->end), [&](size_t i) { return there[i]; });
      if (!complete) return;
      sum.begin(next->first, next->count);
    }
  };
  if (own.defined())
    for (const size_t i : order_) take(i, own.narrow(0, places[i].first, places[i].count));
  else
    parameters.gradient(loss, take);
  sum.finish();
  votes = read_beside(beside, value);
  return in_order_of_values(parameters);
}

Votes StepExchange::agree(const Ranks& ranks, Votes own) {
  double nothing = 0;
  const Tensor beside = at::empty({said_beside}, at::TensorOptions(at::kDouble));
  write_beside(ranks, nothing, own, beside);
  ranks.sum(beside);
  return read_beside(beside, nothing);
}

}  // namespace fokker
