// A network from elsewhere: the noise predictor of a notebook, whose weights come as NPY files, run by its
// own reverse chain. The network is nn.Sequential(Linear(2, 256), ELU(), ..., Linear(256, 1)) on [x_t, i]
// with the steps i = 0..199 of a chain with beta = 0.04 (the lecture notes' notebook, section 1.2.1).
//
//   notebook_network FOLDER    reads FOLDER/0.weight.npy, 0.bias.npy, 2.weight.npy, ..., 8.bias.npy, one file
//                              for each entry of the state dict, as this writes them in Python:
//                                for name, w in torch.load("trained_denoiser.pt").items():
//                                    numpy.save(name + ".npy", w.cpu().numpy())
//   notebook_network           trains such a network for some seconds, writes those files, and goes on as if
//                              they came from elsewhere
#include <fokker/fokker.h>

using namespace fokker;

const std::vector<double> points = {-15, -5, 1, 15};
// Step i = 0..199 of the notebook is at t = (i + 1)/200 here.
const GaussianProcess chain = ConstantBeta{};
const DenoiserSpec spec = {
    .process = chain, .prediction = Prediction::noise(), .time_input = {.scale = 200, .offset = -1}};

std::unique_ptr<Mlp> make_notebook_network() {
  return std::make_unique<Mlp>(MlpOptions{.dimension = 1,
                                          .width = 256,
                                          .depth = 4,
                                          .activation = "elu",
                                          .embedding = "raw",
                                          .residual = false,
                                          .zero_output = false});
}

/// The file NAME.npy is the parameter NAME.
std::shared_ptr<const Network> read_weights(const std::filesystem::path& folder) {
  std::shared_ptr<Network> network = make_notebook_network();
  std::vector<NamedTensor> weights;
  for (const auto& p : network->parameters())
    weights.push_back({p.name, load_npy(folder / (p.name + ".npy"))});
  network->load(weights);
  return network;
}

/// The notebook's training: the four points, its 200 steps, the mean of |eps - eps_theta|^2.
void train_and_write_weights(const std::filesystem::path& folder) {
  const Tensor rows = at::tensor(points, at::kDouble).reshape({4, 1}).repeat({250, 1});
  Split data{
      .training = {.values = rows, .columns = {"x"}, .labels = {}, .label_names = {}, .source = "points"},
      .held_out = {}};
  const auto loss = std::make_shared<ChainObjective>(
      ChainObjective::Options{.form = ChainObjective::Form::simple, .steps = 200});
  Trainer trainer(make_notebook_network(), spec, loss, std::move(data), Normalisation::identity({1}),
                  {.steps = 1500, .batch = 256, .learning_rate = 4e-3, .ema_decay = 0.98}, Rng(0));
  trainer.run({});
  std::filesystem::create_directories(folder);
  for (const auto& p : trainer.averaged_network().parameters())
    save_npy(folder / (p.name + ".npy"), p.tensor.detach());
}

int main(int argc, char** argv) try {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "weights";
  if (argc == 1) train_and_write_weights(folder);
  const LearnedDenoiser denoiser(read_weights(folder), spec);

  // The notebook goes from step 199 to step 0, and every step adds noise: from t = 1 to t = 1/200.
  const int64_t n = 2000;
  const Tensor x = generate(denoiser, Ancestral(Ancestral::Variance::transition),
                            TimeGrid::uniform(199, {.start = 1, .end = 1.0 / 200}), {n, 1}, Rng(1))
                       .x;
  // There x_0 is still scaled by sqrt(0.96), with noise of deviation 0.2.
  double found = 0;
  for (const double point : points) {
    const double near =
        ((x - chain.alpha(1.0 / 200) * point).abs() < 1).to(at::kDouble).mean().item<double>();
    fmt::print("within 1 of {:5.1f}: {:.3f}\n", point, near);
    found += near;
  }
  fmt::print("in all: {:.3f}\n", found);
  return found > 0.9 ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 2;
}
