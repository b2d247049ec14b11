#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/nn/network.h"

namespace fokker {

/// A network as a program would write its own: y = W x + b + time v, with what every network must have and no
/// more.
class OwnLinear final : public Network {
 public:
  static constexpr const char* name = "OwnLinear";

  explicit OwnLinear(std::vector<int64_t> shape, uint64_t seed = 0) : shape_(std::move(shape)) {
    int64_t size = 1;
    for (const int64_t side : shape_) size *= side;
    weight_ = add_parameter("weight", Rng(seed).stream("weight").normal({size, size}));
    bias_ = add_parameter("bias", at::zeros({size}));
    rate_ = add_parameter("rate", at::zeros({size}));
  }
  static std::unique_ptr<Network> make(const Json& config, uint64_t seed) {
    return std::make_unique<OwnLinear>(config.at("shape").get<std::vector<int64_t>>(), seed);
  }
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor&) const override {
    return (at::linear(x.flatten(1), weight_, bias_) + time.unsqueeze(1) * rate_).view(x.sizes());
  }
  Json config() const override { return {{"_class_name", name}, {"shape", shape_}}; }
  std::vector<int64_t> event_shape() const override { return shape_; }

 private:
  std::vector<int64_t> shape_;
  Tensor weight_, bias_, rate_;
};

}  // namespace fokker
