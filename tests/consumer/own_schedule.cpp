// A schedule of the program's own: alpha and sigma, and the rest follows.
#include <fokker/fokker.h>

#include <cstdio>
#include <filesystem>
#include <numbers>

using namespace fokker;

/// The angle phi = end pi/2 t of the path: alpha = cos phi, sigma = sin phi.
class Circle final : public ScheduleModel {
 public:
  explicit Circle(double end) : rate_(end * std::numbers::pi / 2), end_(end) {}
  double alpha(double t) const override { return std::cos(rate_ * t); }
  double sigma(double t) const override { return std::sin(rate_ * t); }
  /// Only where models with it are saved.
  Json config() const override { return {{"type", "circle"}, {"end", end_}}; }

 private:
  double rate_, end_;
};

int main() try {
  register_schedule(
      "circle", [](Spec& spec) { return std::make_shared<Circle>(spec.number("end", 0.99)); },
      [](const Json& config) { return std::make_shared<Circle>(config.at("end").get<double>()); });
  const GaussianProcess circle = make_schedule("circle:end=0.98");

  // What the library finds by itself: on this path the velocity is alpha eps - sigma x_0.
  double worst = 0;
  for (const double t : {0.1, 0.5, 0.9}) {
    const PathCoefficients v = circle.schedule()->velocity(t);
    worst = std::max({worst, std::abs(v.data + circle.sigma(t)), std::abs(v.noise - circle.alpha(t))});
  }

  // It trains, and comes back from a file.
  const Tensor rows = 7 + 3 * Rng(1).normal({4000, 1}, {}, at::kDouble);
  Recipe recipe;
  recipe.process = circle;
  recipe.options.steps = 600;
  const Model model = train({.values = rows, .columns = {"x"}}, recipe, Rng(0));
  const auto folder = std::filesystem::temp_directory_path() / "fokker-own-schedule";
  save_model(folder, model);
  const Model loaded = load_model(folder);
  std::filesystem::remove_all(folder);

  const Tensor drawn = sample(loaded, 4000, Rng(2)).values;
  const bool same = at::equal(drawn, sample(model, 4000, Rng(2)).values);
  const double mean = drawn.mean().item<double>(), deviation = drawn.std().item<double>();
  std::printf("own_schedule: velocity to %.0e; N(%.2f, %.2f^2) drawn of N(7, 3^2); %s after loading\n", worst,
              mean, deviation, same ? "the same samples" : "OTHER SAMPLES");
  return worst < 1e-8 && same && std::abs(mean - 7) < 0.3 && std::abs(deviation - 3) < 0.3 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "own_schedule: %s\n", error.what());
  return static_cast<int>(error.kind());
}
