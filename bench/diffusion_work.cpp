#include "diffusion_work.h"

#include "fokker/data/array/npy.h"
#include "fokker/denoise/learned.h"
#include "fokker/objective/denoising.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ddim.h"
#include "fokker/train/trainer.h"

namespace fokker::bench {
namespace {

void save_parameters(const Network& network, const std::filesystem::path& folder) {
  for (const auto& [name, tensor] : network.parameters()) save_npy(folder / (name + ".npy"), tensor.detach());
}

std::vector<int64_t> rows_of(int64_t n, const Network& network) {
  std::vector<int64_t> shape{n};
  for (const int64_t size : network.event_shape()) shape.push_back(size);
  return shape;
}

std::string precision_of(const Network& network) {
  return network.bf16_products() ? "bf16" : "fp32";
}

/// t, alpha, sigma in each row.
Tensor levels_of(const GaussianProcess& process, const std::vector<double>& times) {
  Tensor levels = at::empty({static_cast<int64_t>(times.size()), 3}, at::kDouble);
  for (size_t i = 0; i < times.size(); ++i) {
    const double row[] = {times[i], process.alpha(times[i]), process.sigma(times[i])};
    for (int64_t k = 0; k < 3; ++k) levels[static_cast<int64_t>(i)][k] = row[k];
  }
  return levels;
}

class Sampling final : public Work {
 public:
  Sampling(std::shared_ptr<Network> network, int64_t steps, int64_t n, const std::filesystem::path& folder)
      : precision_(precision_of(*network)),
        denoiser_(network, {.process = VariancePreserving{}, .prediction = Prediction::noise()}),
        grid_(TimeGrid::uniform(steps, {.end = 1e-3})),
        start_(Rng(3).normal(rows_of(n, *network))) {
    save_parameters(*network, folder);
    save_npy(folder / "start.npy", start_);
    save_npy(folder / "schedule.npy", levels_of(denoiser_.process(), grid_.times()));
  }
  void run() override { result_ = integrate(denoiser_, Ddim(), grid_, start_).x; }
  Tensor result() const override { return result_; }
  std::string precision() const override { return precision_; }

 private:
  std::string precision_;
  LearnedDenoiser denoiser_;
  TimeGrid grid_;
  Tensor start_, result_;
};

class Training final : public Work {
 public:
  Training(const std::shared_ptr<Network>& network, const TrainingOptions& options,
           const std::filesystem::path& folder)
      : repeat_(options.repeat), precision_(precision_of(*network)) {
    const Rng rng(5);
    const Tensor data = rng.stream("data").normal(rows_of(options.rows, *network));
    save_npy(folder / "data.npy", data);
    save_parameters(*network, folder);
    save_reference(*network, data.narrow(0, 0, options.reference_rows), folder);
    const Dataset rows{.values = data, .columns = {}, .labels = {}, .label_names = {}, .source = "noise"};
    trainer_ = std::make_unique<Trainer>(
        network->clone(), spec_, std::make_shared<DenoisingObjective>(),
        Split{.training = rows, .held_out = {}}, Normalisation::identity(network->event_shape()),
        TrainOptions{.steps = int64_t{1} << 40, .batch = options.batch}, rng);
  }

  void run() override {
    int64_t left = repeat_;
    TrainHooks hooks;
    hooks.should_stop = [&left] { return left-- == 0; };
    trainer_->run(hooks);
  }
  Tensor result() const override { return reference_; }
  std::string precision() const override { return precision_; }

 private:
  void save_reference(const Network& network, const Tensor& x0, const std::filesystem::path& folder) {
    const std::shared_ptr<Network> copy = network.clone();
    copy->set_requires_grad(true);
    const LearnedDenoiser denoiser(copy, spec_);
    const Tensor noise = Rng(7).normal(x0.sizes());
    const Tensor times = Rng(8).uniform({x0.size(0)}, {}, at::kDouble) * 0.9 + 0.05;
    const Tensor loss =
        DenoisingObjective().loss_at(denoiser, {.x0 = x0, .label = {}, .step = 0}, times, noise).mean();
    const Tensor gradient = gradients(loss, {copy->parameters()[0].tensor}, false)[0];
    reference_ = at::cat({loss.detach().reshape({1}), gradient.flatten()});
    save_npy(folder / "levels.npy",
             levels_of(spec_.process, {times.data_ptr<double>(), times.data_ptr<double>() + times.numel()}));
    save_npy(folder / "noise.npy", noise);
  }

  int64_t repeat_;
  std::string precision_;
  DenoiserSpec spec_{.process = VariancePreserving{}, .prediction = Prediction::noise()};
  Tensor reference_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace

void set_precision(Network& network, const Settings& settings) {
  const std::string precision = settings.text("precision", "fp32");
  network.set_bf16_products(precision == "bf16" || (precision == "auto" && network.is_faster_in_bf16()));
}

std::unique_ptr<Work> sampling_work(std::shared_ptr<Network> network, int64_t steps, int64_t n,
                                    const std::filesystem::path& folder) {
  return std::make_unique<Sampling>(std::move(network), steps, n, folder);
}

std::unique_ptr<Work> training_work(std::shared_ptr<Network> network, const TrainingOptions& options,
                                    const std::filesystem::path& folder) {
  return std::make_unique<Training>(network, options, folder);
}

}  // namespace fokker::bench
