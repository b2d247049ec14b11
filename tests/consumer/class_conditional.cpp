// Class-conditional sampling of a mixed batch: every row asks for a class of its own.
#include <fokker/fokker.h>

#include <cstdio>

using namespace fokker;

int main() try {
  // Three kinds of rows, which the program calls 10, 20 and 30, around (10, 0), (20, 0) and (30, 0).
  const int64_t n = 3000;
  const Tensor kind = at::arange(n).remainder(3).add(1).mul(10);
  const Tensor centre = at::stack({kind.to(at::kDouble), at::zeros({n}, at::kDouble)}, 1);
  const Dataset data{.values = centre + Rng(1).normal({n, 2}, {}, at::kDouble),
                     .columns = {"length", "width"},
                     .labels = kind};
  const Model model = train(data, {.options = {.steps = 1500}}, Rng(0));

  const std::vector<std::string> kinds = {"30", "10", "20"};
  SampleOptions options;
  for (int64_t row = 0; row < n; ++row) options.labels.push_back(kinds[row % 3]);
  const Tensor rows = sample(model, n, Rng(2), options).values;

  bool right = true;
  std::printf("class_conditional:");
  for (int64_t k = 0; k < 3; ++k) {
    const Tensor own = rows.slice(0, k, n, 3);
    const double length = own.select(1, 0).mean().item<double>();
    std::printf(" kind %s at %.2f,", kinds[k].c_str(), length);
    right = right && std::abs(length - std::stod(kinds[k])) < 0.4;
    // A row is what it would be in a batch of its kind alone.
    const Tensor alone = sample(model, n, Rng(2), {.labels = {kinds[k]}}).values;
    right = right && at::equal(own, alone.slice(0, k, n, 3));
  }
  std::printf(" each row as in a batch of its kind alone\n");
  return right ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "class_conditional: %s\n", error.what());
  return static_cast<int>(error.kind());
}
