// Runs by the samplers and grids that schedulers are read as, against what diffusers' own loops ended with
// (make_schedulers.py): the same networks, start and draws of noise.
#include <gtest/gtest.h>

#include "fokker/denoise/energy.h"
#include "fokker/denoise/guidance.h"
#include "fokker/format/diffusers/python_json.h"
#include "fokker/format/diffusers/scheduler_import.h"
#include "fokker/format/safetensors.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/samplers.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

constexpr int64_t steps = 20;

/// The file of the fixtures, read once.
struct SchedulerFixtures {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  SchedulerFixtures() {
    const auto file = load_safetensors(std::filesystem::path(FOKKER_SOURCE_DIR) /
                                       "tests/format/diffusers/fixtures/schedulers.safetensors");
    for (const auto& [name, tensor] : file.tensors) tensors[name] = tensor;
    metadata = file.metadata;
  }
  Json config(const std::string& key) const {
    const TestFolder folder;
    return read_python_json(folder.write("scheduler_config.json", metadata.at(key)));
  }
  std::shared_ptr<Network> network(const std::string& prediction) const {
    std::shared_ptr<Network> network = make_network(Json::parse(metadata.at("network")), 0);
    std::vector<NamedTensor> weights;
    for (const auto& [name, tensor] : tensors)
      if (name.starts_with(prediction + ".")) weights.push_back({name.substr(prediction.size() + 1), tensor});
    network->load(weights);
    network->set_requires_grad(false);
    return network;
  }
};

const SchedulerFixtures& fixtures() {
  static const SchedulerFixtures all;
  return all;
}

/// What our loop ends with.
Tensor run_case(const std::string& name) {
  const Json config = fixtures().config("case." + name);
  const ImportedScheduler read = read_scheduler(config, name);
  const GaussianProcess& process = read.spec.process;
  std::shared_ptr<const Denoiser> denoiser = make_denoiser(
      fixtures().network(name.starts_with("flow") ? "flow"
                                                  : config.value("prediction_type", std::string("epsilon"))),
      read.spec);
  if (*read.sampling.clip > 0) denoiser = std::make_shared<ClippedDenoiser>(denoiser, *read.sampling.clip);
  const SamplerChoice choice = make_sampler(read.sampling.sampler, process);
  // The estimate at an EDM process's last level is diffusers' last step.
  const TimeGrid grid = make_grid(read.sampling.grid, process, name.starts_with("edm") ? steps - 1 : steps);
  const Tensor noise = fixtures().tensors.at("noise");
  const IntegrateOptions options{.noise = [&](IntArrayRef, DrawPosition position) {
    return noise.select(0, static_cast<int64_t>(position.step / draws_per_step)).clone();
  }};
  // Schedulers in sigma start from sigma_max eps, not from sqrt(sigma_max^2 + 1) eps, where both ends are
  // taken.
  const bool at_sigma = read.sampling.grid.starts_with("linspace:rounded") || name.ends_with("-karras") ||
                        name == "euler-v" || name == "euler-exponential";
  const double deviation =
      at_sigma && !name.starts_with("dpm") ? process.sigma(1) : std::sqrt(process.prior_variance());
  const Tensor start = fixtures().tensors.at("start") * deviation;
  return integrate(*denoiser, *choice.sampler, grid, start, options).x;
}

class DiffusersLoop : public ::testing::TestWithParam<const char*> {};

TEST_P(DiffusersLoop, EndsWhereDiffusersDoes) {
  const Tensor expected = fixtures().tensors.at(std::string("x.") + GetParam()), x = run_case(GetParam());
  // DPMSolverMultistep rounds the times that the network is told of Karras's levels, and we do not.
  const double tolerance = std::string(GetParam()) == "dpm-karras" ? 2e-3 : 1e-3;
  EXPECT_LT(((x - expected).abs().max() / expected.abs().max()).item<double>(), tolerance);
}

std::string test_name(const ::testing::TestParamInfo<const char*>& each) {
  std::string name = each.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, DiffusersLoop,
                         ::testing::Values("ddpm", "ddpm-large", "ddpm-sigmoid", "ddpm-zero-snr", "ddim",
                                           "ddim-offset", "ddim-zero-snr", "ddim-trained", "pndm",
                                           "pndm-plms", "dpm", "dpm-3", "dpm-1", "dpm-v", "dpm-zero-snr",
                                           "dpm-sigma-min", "dpm-cosine", "dpm-karras", "dpm-sde",
                                           "dpm-singlestep", "unipc", "unipc-3", "deis", "deis-3", "lms",
                                           "lms-karras", "euler", "euler-leading", "euler-v", "euler-karras",
                                           "euler-exponential", "euler-ancestral", "heun", "heun-karras",
                                           "edm", "edm-exponential", "edm-dpm", "flow", "flow-shift",
                                           "flow-terminal"),
                         test_name);

// What a configuration leaves out has its class's default: the class alone means what diffusers writes of it
// in full.
TEST(SchedulerImport, MissingKeysHaveTheDefaultsOfTheirClass) {
  int classes = 0;
  for (const auto& [key, text] : fixtures().metadata) {
    if (!key.starts_with("default.")) continue;
    const Json full = fixtures().config(key);
    const ImportedScheduler a = read_scheduler(full, key),
                            b = read_scheduler({{"_class_name", full["_class_name"]}}, key);
    EXPECT_EQ(a.spec.to_json(), b.spec.to_json()) << key;
    EXPECT_EQ(a.sampling.to_json(), b.sampling.to_json()) << key;
    ++classes;
  }
  EXPECT_EQ(classes, 14);
}

TEST(SchedulerImport, RefusesByNameWhatCannotBeRepresented) {
  using ::testing::HasSubstr;
  const auto refusal = [](const char* name, const Json& changes) {
    Json config = {{"_class_name", name}};
    config.update(changes);
    try {
      read_scheduler(config, "scheduler_config.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(refusal("RePaintScheduler", Json::object()),
              HasSubstr("the scheduler RePaintScheduler cannot be represented"));
  EXPECT_THAT(refusal("DDPMScheduler", {{"thresholding", true}}), HasSubstr("\"thresholding\" to be false"));
  EXPECT_THAT(refusal("DDPMScheduler", {{"variance_type", "learned_range"}}), HasSubstr("\"variance_type\""));
  EXPECT_THAT(refusal("DDPMScheduler", {{"beta_schedule", "laplace"}}), HasSubstr("\"beta_schedule\""));
  EXPECT_THAT(refusal("DDIMScheduler", {{"prediction_type", "flow"}}), HasSubstr("\"prediction_type\""));
  EXPECT_THAT(refusal("DDIMScheduler", {{"timestep_spacing", "log"}}), HasSubstr("\"timestep_spacing\""));
  EXPECT_THAT(refusal("DDIMScheduler", {{"trained_betas", {0.1, 1.5}}}), HasSubstr("betas between 0 and 1"));
  EXPECT_THAT(refusal("DDIMScheduler", {{"num_train_timesteps", 0}}),
              HasSubstr("num_train_timesteps from 1"));
  EXPECT_THAT(refusal("DPMSolverMultistepScheduler", {{"algorithm_type", "dpmsolver"}}),
              HasSubstr("\"algorithm_type\""));
  EXPECT_THAT(refusal("DPMSolverMultistepScheduler", {{"lambda_min_clipped", -5.1}}),
              HasSubstr("\"lambda_min_clipped\""));
  EXPECT_THAT(refusal("DPMSolverMultistepScheduler", {{"use_flow_sigmas", true}}),
              HasSubstr("\"use_flow_sigmas\""));
  EXPECT_THAT(refusal("DPMSolverSinglestepScheduler", {{"solver_order", 3}}),
              HasSubstr("from 1 to 2 but received 3"));
  EXPECT_THAT(refusal("UniPCMultistepScheduler", {{"predict_x0", false}}), HasSubstr("\"predict_x0\""));
  EXPECT_THAT(refusal("EulerDiscreteScheduler", {{"timestep_type", "continuous"}}),
              HasSubstr("\"timestep_type\""));
  EXPECT_THAT(
      refusal("EulerDiscreteScheduler", {{"use_karras_sigmas", true}, {"timestep_spacing", "leading"}}),
      HasSubstr("beside timestep_spacing"));
  EXPECT_THAT(refusal("EDMEulerScheduler", {{"sigma_min", 90}}), HasSubstr("0 < sigma_min < sigma_max"));
}

}  // namespace
}  // namespace fokker
