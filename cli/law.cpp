#include "cli/law.h"

#include <filesystem>

#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

constexpr int64_t kLawSamples = 100'000;    // of a kernel estimate
constexpr int64_t kExtentSamples = 4000;    // that show where a law lies
constexpr int64_t kMostExactPoints = 5000;  // rows of a file whose mixture is still evaluated point by point

bool is_file(const std::string& target) {
  return target.starts_with("data:") || (std::filesystem::exists(target) && !target.ends_with(".json"));
}

/// x_t of samples x_0.
Tensor noised(const Tensor& x0, const GaussianProcess& process, double t, uint64_t seed) {
  if (t == 0) return x0;
  return process.perturb(x0, Rng(seed).stream("law noise").normal(x0.sizes(), {}, at::kDouble), t);
}

std::function<Tensor(const Tensor&)> density_of(std::shared_ptr<const Distribution> law) {
  return [law = std::move(law)](const Tensor& x) { return law->log_density(x).exp(); };
}

/// Rows of a file: exact under noise where they are few, else a kernel estimate.
Law law_of_rows(const std::string& file, const GaussianProcess& process, double time, uint64_t seed,
                const LoadOptions& reading) {
  const Tensor rows = load_rows(file, reading);
  Law law{.time = time, .samples = noised(rows, process, time, seed)};
  if (time > 0 && rows.size(0) <= kMostExactPoints)
    law.density = density_of(std::make_shared<GaussianMixture>(
        GaussianMixture::empirical(rows).noised(process.alpha(time), process.sigma(time))));
  return law;
}

}  // namespace

std::string Law::label() const {
  return density ? "density" : fmt::format("density (kernel estimate, n = {})", samples.size(0));
}

Law law_at(const std::string& target, const std::string& process, double time, uint64_t seed,
           const LoadOptions& reading) {
  check(time >= 0 && time <= 1, "time: expected a time in [0, 1] but received {}", time);
  const GaussianProcess noising = process_or_default(process);
  if (is_file(target))
    return law_of_rows(target.starts_with("data:") ? target.substr(5) : target, noising, time, seed, reading);
  const auto known = target_from(target, reading);
  const Rng rng = Rng(seed).stream("law");
  if (const GaussianMixture* mixture = as_gaussian_mixture(*known)) {
    const auto law =
        std::make_shared<GaussianMixture>(mixture->noised(noising.alpha(time), noising.sigma(time)));
    check(law->has_density(),
          "target '{}' has no density at t = {}: it consists of points there; give a later --time", target,
          time);
    return {.time = time, .samples = law->sample(kExtentSamples, rng), .density = density_of(law)};
  }
  check(known->can_sample(), "target '{}' can neither be sampled nor has it a closed form under noise",
        target);
  const bool exact = time == 0 && known->has_density() && known->normalised();
  Law law{.time = time,
          .samples = noised(known->sample(exact ? kExtentSamples : kLawSamples, rng), noising, time, seed)};
  if (exact) law.density = density_of(std::shared_ptr<const Distribution>(target_from(target, reading)));
  return law;
}

plot::Extent extent_of(const std::vector<Law>& laws) {
  const auto limits = [&](int64_t coordinate) {
    std::optional<plot::Range> all;
    for (const Law& law : laws) {
      const Tensor values = law.samples.select(1, std::min(coordinate, law.dimension() - 1));
      const plot::Range one{values.min().item<double>(), values.max().item<double>()};
      all = all ? plot::hull(*all, one) : one;
    }
    return plot::padded_limits(*all, plot::Scale::linear, 0.08);
  };
  return {limits(0), limits(1)};
}

plot::Extent with_limits(plot::Extent extent, const std::string& limits) {
  if (limits.empty()) return extent;
  const auto numbers = parse_numbers("limits", limits);
  check(numbers.size() == 2 || numbers.size() == 4,
        "limits: expected x0,x1 or x0,x1,y0,y1 but received {} numbers", numbers.size());
  extent.x = {numbers[0], numbers[1]};
  if (numbers.size() == 4) extent.y = {numbers[2], numbers[3]};
  plot::check_limits("x", extent.x, plot::Scale::linear);
  plot::check_limits("y", extent.y, plot::Scale::linear);
  return extent;
}

plot::ParticleFilm::Density exact_density(const std::string& target, const std::string& process,
                                          const LoadOptions& reading) {
  if (target.empty()) return {};
  const auto known = target_from(target, reading);
  const GaussianMixture* mixture = as_gaussian_mixture(*known);
  if (!mixture || mixture->components() > kMostExactPoints) return {};
  return [mixture = *mixture, noising = process_or_default(process)](const Tensor& x, double t) {
    const GaussianMixture law = mixture.noised(noising.alpha(t), noising.sigma(t));
    return law.has_density() ? law.log_density(x).exp() : Tensor();
  };
}

}  // namespace fokker::cli
