// The network that the lecture notes' notebook (S3, section 1.2.1) publishes: four hidden layers of 256 ELUs
// that see x_t and the number of the step, and its reverse chain of 200 steps with beta = 0.04.
#include "data/damage.h"
#include "fokker/data/array/npy.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

constexpr int64_t chain_length_of_notebook = 200;
constexpr double beta_of_notebook = 0.04;

const MlpOptions notebook_options = {.dimension = 1,
                                     .width = 256,
                                     .depth = 4,
                                     .activation = "elu",
                                     .embedding = "raw",
                                     .residual = false,
                                     .zero_output = false};

/// One NPY file for each entry of the state dict of the notebook's nn.Sequential: 0.weight.npy, 0.bias.npy,
/// 2.weight.npy, ..., 8.bias.npy. Weights are (out, in), as PyTorch has them.
class NotebookNetwork : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    const std::vector<int64_t> widths = {2, 256, 256, 256, 256, 1};
    for (uint64_t i = 0; i + 1 < widths.size(); ++i) {
      const double scale = 1 / std::sqrt(static_cast<double>(widths[i]));
      const Rng rng = Rng(11).stream(i);
      save_npy(weight_file(i), scale * rng.stream("weight").normal({widths[i + 1], widths[i]}));
      save_npy(bias_file(i), scale * rng.stream("bias").normal({widths[i + 1]}));
    }
  }
  std::filesystem::path weight_file(uint64_t layer) const {
    return path(fmt::format("{}.weight.npy", 2 * layer));
  }
  std::filesystem::path bias_file(uint64_t layer) const {
    return path(fmt::format("{}.bias.npy", 2 * layer));
  }

  /// Our network with the weights of those files: names of parameters are names of files.
  std::shared_ptr<Mlp> network() const {
    auto loaded = std::make_shared<Mlp>(notebook_options, 5);
    std::vector<NamedTensor> values;
    for (const auto& p : loaded->parameters()) values.push_back({p.name, load_npy(path(p.name + ".npy"))});
    loaded->load(values);
    loaded->to(at::kCPU, at::kDouble);
    return loaded;
  }

  /// eps_theta(x, i) by sums over the numbers in the files.
  double by_hand(double x, double index) const {
    std::vector<double> h = {x, index};
    for (uint64_t layer = 0; layer < 5; ++layer) {
      const Tensor weight = load_npy(weight_file(layer)), bias = load_npy(bias_file(layer));
      const auto w = weight.accessor<float, 2>();
      const auto b = bias.accessor<float, 1>();
      std::vector<double> next;
      for (int64_t row = 0; row < weight.size(0); ++row) {
        double sum = b[row];
        for (int64_t column = 0; column < weight.size(1); ++column)
          sum += w[row][column] * h[static_cast<size_t>(column)];
        next.push_back(layer == 4 || sum > 0 ? sum : std::expm1(sum));
      }
      h = next;
    }
    return h[0];
  }

  /// The notebook numbers its steps from 0 with alphabar_i = 0.96^(i + 1): i is our time (i + 1)/200.
  LearnedDenoiser denoiser() const {
    return LearnedDenoiser(network(), {.process = ConstantBeta{},
                                       .prediction = Prediction::noise(),
                                       .time_input = {.scale = chain_length_of_notebook, .offset = -1}});
  }
  static double time_of(int64_t index) {
    return static_cast<double>(index + 1) / static_cast<double>(chain_length_of_notebook);
  }
};

TEST_F(NotebookNetwork, IsOurPlainMlp) {
  const LearnedDenoiser model = denoiser();
  for (const int64_t index : {0, 1, 57, 199})
    for (const double x : {-15.3, -0.2, 0.0, 1.0, 4.7}) {
      const Tensor noise = model.estimate(at::full({1, 1}, x, at::kDouble), time_of(index)).noise();
      const double expected = by_hand(x, static_cast<double>(index));
      EXPECT_NEAR(noise.item<double>(), expected, 1e-6) << x << " at " << index;
    }
}

TEST_F(NotebookNetwork, NumbersItsStepsFromZero) {
  const GaussianProcess process = ConstantBeta{};
  for (const int64_t index : {0, 1, 57, 199})
    EXPECT_NEAR(process.log_snr(time_of(index)),
                std::log(std::pow(0.96, index + 1) / (1 - std::pow(0.96, index + 1))), 1e-12);
}

// x_{i-1} = (x_i - beta/sqrt(1 - alphabar_i) eps_theta(x_i, i))/sqrt(1 - beta) + sqrt(beta) z for i = 199,
// .., 1: 199 steps that all add noise, and end where alphabar = 0.96.
TEST_F(NotebookNetwork, ReverseChainIsOurAncestralSampler) {
  const int64_t steps = chain_length_of_notebook - 1, rows = 6;
  const Tensor z = Rng(3).normal({steps, rows, 1}, {}, at::kDouble),
               start = Rng(4).normal({rows, 1}, {}, at::kDouble);
  int64_t drawn = 0;
  const NoiseSource noise = [&](IntArrayRef, DrawPosition) { return z[drawn++]; };
  const LearnedDenoiser model = denoiser();
  Trajectory trajectory(steps, start.sizes(), at::kDouble);
  integrate(model, Ancestral(Ancestral::Variance::transition),
            TimeGrid::uniform(steps, {.start = 1, .end = time_of(0)}), start,
            {.noise = noise, .observers = {trajectory.observer()}});

  const std::shared_ptr<Mlp> eps = network();
  const GradientMode off(false);
  Tensor x = start;
  for (int64_t index = steps; index >= 1; --index) {
    const Tensor told = at::full({1}, static_cast<double>(index), at::kDouble);
    const double alphabar = std::pow(1 - beta_of_notebook, index + 1);
    x = (x - beta_of_notebook / std::sqrt(1 - alphabar) * eps->forward(x, told, {})) /
            std::sqrt(1 - beta_of_notebook) +
        std::sqrt(beta_of_notebook) * z[steps - index];
    EXPECT_LT(worst(trajectory.states()[steps - index + 1], x), 1e-9) << "x at " << index - 1;
  }
}

TEST_F(NotebookNetwork, RefusesWeightsOfAnotherShape) {
  save_npy(weight_file(2), at::zeros({128, 256}));
  EXPECT_THAT(refusal_of([&] { network(); }), ::testing::HasSubstr("4.weight"));
  std::filesystem::remove(bias_file(3));
  EXPECT_THAT(refusal_of([&] { network(); }), ::testing::HasSubstr("6.bias.npy"));
}

}  // namespace
}  // namespace fokker
