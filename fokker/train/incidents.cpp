#include "fokker/train/incidents.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

constexpr double watch_memory = 0.98;
constexpr int64_t watch_first = 50;
constexpr double watch_deviations = 8;

}  // namespace

std::vector<std::string> on_divergence_names() {
  return {"stop", "skip", "rewind"};
}

const char* to_string(OnDivergence policy) {
  switch (policy) {
    case OnDivergence::skip:
      return "skip";
    case OnDivergence::rewind:
      return "rewind";
    default:
      return "stop";
  }
}

OnDivergence parse_on_divergence(const std::string& name) {
  for (const OnDivergence policy : {OnDivergence::stop, OnDivergence::skip, OnDivergence::rewind})
    if (name == to_string(policy)) return policy;
  fail(ErrorKind::argument, "on-divergence: unknown '{}'; valid names: {}", name,
       join(on_divergence_names()));
}

Json Incidents::to_json() const {
  return {{"skipped", skipped}, {"rewinds", rewinds}, {"spikes", spikes}, {"rate_factor", rate_factor}};
}

Incidents Incidents::from_json(const Json& json) {
  return {.skipped = json.at("skipped"),
          .rewinds = json.at("rewinds"),
          .spikes = json.at("spikes"),
          .rate_factor = json.at("rate_factor")};
}

Json UntoldSteps::to_json() const {
  return {{"loss_sum", loss_sum}, {"count", count}, {"before", before.to_json()}};
}

UntoldSteps UntoldSteps::from_json(const Json& json) {
  return {.loss_sum = json.at("loss_sum"),
          .count = json.at("count"),
          .before = Incidents::from_json(json.at("before"))};
}

bool LossWatch::stands_out(double loss) {
  const double bound = mean_ + watch_deviations * deviation();
  const bool out = count_ >= watch_first && loss > bound;
  const double taken = out ? bound : loss;
  ++count_;
  // As the mean of all so far until there are so many that older ones fade.
  const double weight = std::max(1 - watch_memory, 1 / static_cast<double>(count_));
  const double difference = taken - mean_;
  mean_ += weight * difference;
  variance_ = (1 - weight) * (variance_ + weight * difference * difference);
  return out;
}

double LossWatch::deviation() const {
  return std::sqrt(variance_);
}

Json LossWatch::to_json() const {
  return {{"count", count_}, {"mean", mean_}, {"variance", variance_}};
}

LossWatch LossWatch::from_json(const Json& json) {
  LossWatch watch;
  watch.count_ = json.at("count");
  watch.mean_ = json.at("mean");
  watch.variance_ = json.at("variance");
  return watch;
}

Json BestHeldOut::to_json() const {
  return {{"loss", loss}, {"step", step}, {"evaluations_since", evaluations_since}};
}

BestHeldOut BestHeldOut::from_json(const Json& json) {
  return {
      .loss = json.at("loss"), .step = json.at("step"), .evaluations_since = json.at("evaluations_since")};
}

}  // namespace fokker
