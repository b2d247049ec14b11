// A network of the program's own: it trains, is saved, loaded and sampled like the library's.
#include <fokker/fokker.h>

#include <cstdio>
#include <filesystem>
#include <numbers>

using namespace fokker;

/// Two hidden layers of tanh, told the time as t and cos(pi t).
class Tower final : public Network {
 public:
  Tower(int64_t dimension, int64_t width, uint64_t seed) : dimension_(dimension), width_(width) {
    first_ = layer("first", dimension + 2, width, seed);
    second_ = layer("second", width, width, seed);
    last_ = layer("last", width, dimension, seed);
  }

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor&) const override {
    const Tensor t = time.expand({x.size(0)}).unsqueeze(1);
    const Tensor input = at::cat({x, t, (std::numbers::pi * t).cos()}, 1);
    return last_(second_(first_(input).tanh()).tanh());
  }
  Json config() const override {
    return {{"_class_name", "Tower"}, {"dimension", dimension_}, {"width", width_}};
  }
  std::vector<int64_t> event_shape() const override { return {dimension_}; }

  static std::unique_ptr<Network> make(const Json& config, uint64_t seed) {
    return std::make_unique<Tower>(config.at("dimension").get<int64_t>(), config.at("width").get<int64_t>(),
                                   seed);
  }

 private:
  struct Layer {
    Tensor weight, bias;
    Tensor operator()(const Tensor& x) const { return at::linear(x, weight, bias); }
  };
  Layer layer(const std::string& name, int64_t inputs, int64_t outputs, uint64_t seed) {
    const Tensor weight = Rng(seed).stream(name).normal({outputs, inputs}) / std::sqrt(inputs);
    return {add_parameter(name + ".weight", weight), add_parameter(name + ".bias", at::zeros({outputs}))};
  }
  int64_t dimension_, width_;
  Layer first_, second_, last_;
};

int main() try {
  register_network("Tower", Tower::make);
  // Pairs of normal numbers with correlation 0.8.
  const Tensor z = Rng(1).normal({4000, 2}, {}, at::kDouble);
  const Tensor pairs = at::stack({z.select(1, 0), 0.8 * z.select(1, 0) + 0.6 * z.select(1, 1)}, 1);
  Recipe recipe;
  recipe.network = std::make_unique<Tower>(2, 64, 0);
  recipe.options.steps = 1500;
  const Model model = train({.values = pairs, .columns = {"x", "y"}}, recipe, Rng(0));

  const auto folder = std::filesystem::temp_directory_path() / "fokker-own-network";
  save_model(folder, model);
  const Model loaded = load_model(folder);
  std::filesystem::remove_all(folder);

  const Tensor drawn = sample(loaded, 4000, Rng(2)).values;
  const bool same = at::equal(drawn, sample(model, 4000, Rng(2)).values);
  const double correlation = at::corrcoef(drawn.t())[0][1].item<double>();
  std::printf("own_network: %lld parameters; correlation %.3f (0.8 of the data); %s after loading\n",
              static_cast<long long>(loaded.network->parameter_count()), correlation,
              same ? "the same samples" : "OTHER SAMPLES");
  return same && std::abs(correlation - 0.8) < 0.05 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "own_network: %s\n", error.what());
  return static_cast<int>(error.kind());
}
