// Forward passes of networks whose weights, inputs and outputs diffusers wrote (make_networks.py).
#include <gtest/gtest.h>

#include "expect_error.h"
#include "fokker/format/diffusers/tensor_names.h"
#include "fokker/format/safetensors.h"
#include "fokker/nn/unet/unet.h"
#include "support.h"

namespace fokker {
namespace {

std::filesystem::path fixture_folder() {
  return std::filesystem::path(FOKKER_SOURCE_DIR) / "tests/format/diffusers/fixtures";
}

/// What diffusers wrote of one network.
struct NetworkFixture {
  Json config;
  std::vector<NamedTensor> weights;
  Tensor x, t, label, y;
};

NetworkFixture read_fixture(const std::string& name) {
  const SafetensorsFile file = load_safetensors(fixture_folder() / ("network-" + name + ".safetensors"));
  NetworkFixture fixture;
  fixture.config = Json::parse(file.metadata.at("config"));
  fixture.config["unconditional_class"] = false;
  for (const auto& [key, tensor] : file.tensors) {
    if (key.starts_with("w.")) fixture.weights.push_back({key.substr(2), tensor});
    if (key == "x") fixture.x = tensor;
    if (key == "t") fixture.t = tensor;
    if (key == "y") fixture.y = tensor;
    if (key == "label") fixture.label = tensor;
  }
  if (fixture.label.defined() && fixture.label.is_floating_point() && fixture.label.dim() == 1)
    fixture.label = fixture.label.unsqueeze(1);
  return fixture;
}

std::unique_ptr<Network> network_of(const NetworkFixture& fixture) {
  auto network = make_network(fixture.config, 3);
  network->load(with_current_names(fixture.weights));
  return network;
}

/// Largest difference, in units of the largest output.
double relative_error(const Tensor& y, const Tensor& expected) {
  return ((y.to(at::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
}

class DiffusersNetwork : public ::testing::TestWithParam<const char*> {};

TEST_P(DiffusersNetwork, ComputesWhatDiffusersDoes) {
  const NetworkFixture f = read_fixture(GetParam());
  const auto network = network_of(f);
  {
    const GradientMode off(false);
    EXPECT_LT(relative_error(network->forward(f.x, f.t, f.label), f.y), 1e-5) << "without gradients";
    if (const auto frozen = network->frozen()) {
      EXPECT_LT(relative_error(frozen->forward(f.x, f.t, f.label), f.y), 1e-5) << "frozen";
    }
  }
  EXPECT_LT(relative_error(network->forward(f.x, f.t, f.label).detach(), f.y), 1e-5) << "with gradients";
  network->to(at::kCPU, at::kDouble);
  const bool of_class = !f.label.defined() || !f.label.is_floating_point();
  const Tensor y = network->forward(f.x.to(at::kDouble), f.t.to(at::kDouble),
                                    of_class ? f.label : f.label.to(at::kDouble));
  EXPECT_LT(relative_error(y.detach(), f.y), 1e-5) << "in float64";
}

INSTANTIATE_TEST_SUITE_P(All, DiffusersNetwork,
                         ::testing::Values("positional", "google", "fourier", "learned", "scale-shift",
                                           "scale-shift-groups", "resnet-sampling", "resnet-blocks",
                                           "classes", "class-timestep", "class-identity", "centred", "deep",
                                           "gelu", "mish", "relu", "no-middle", "fourier-scale-shift",
                                           "token", "token-linear", "token-levels", "token-number",
                                           "token-projection", "conditional-classes", "conditional-identity",
                                           "conditional-linear"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(DiffusersNetwork, AttentionOfOlderVersionsIsRenamed) {
  const NetworkFixture f = read_fixture("positional");
  const auto renamed = [&](const std::vector<std::pair<std::string, std::string>>& names, bool nin) {
    std::vector<NamedTensor> old = f.weights;
    for (NamedTensor& tensor : old)
      for (const auto& [current, before] : names)
        if (const size_t at = tensor.name.find(current); at != std::string::npos) {
          tensor.name.replace(at, current.size(), before);
          if (nin && tensor.name.ends_with(".W")) tensor.tensor = tensor.tensor.t().contiguous();
        }
    const auto network = make_network(f.config, 3);
    network->load(with_current_names(old));
    const GradientMode off(false);
    return network->forward(f.x, f.t, {});
  };
  const GradientMode off(false);
  const Tensor y = network_of(f)->forward(f.x, f.t, {});
  EXPECT_TRUE(
      renamed(
          {{".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}},
          false)
          .equal(y));
  EXPECT_TRUE(renamed({{".to_q.weight", ".NIN_0.W"},
                       {".to_q.bias", ".NIN_0.b"},
                       {".to_k.weight", ".NIN_1.W"},
                       {".to_k.bias", ".NIN_1.b"},
                       {".to_v.weight", ".NIN_2.W"},
                       {".to_v.bias", ".NIN_2.b"},
                       {".to_out.0.weight", ".NIN_3.W"},
                       {".to_out.0.bias", ".NIN_3.b"},
                       {".group_norm.", ".GroupNorm_0."}},
                      true)
                  .equal(y));
}

TEST(DiffusersNetwork, SaysWhatItsLabelsAre) {
  const auto classes = network_of(read_fixture("classes"));
  EXPECT_EQ(classes->classes(), 5) << "no row is an unconditional class";
  const NetworkFixture f = read_fixture("classes");
  EXPECT_THROW(classes->forward(f.x, f.t, {}), Error);
  EXPECT_THROW(classes->forward(f.x, f.t, at::tensor({-1, 0})), Error);
  EXPECT_EQ(network_of(read_fixture("class-timestep"))->condition_size(), 1);
  const NetworkFixture vector = read_fixture("class-identity");
  const auto network = network_of(vector);
  EXPECT_EQ(network->condition_size(), 16);
  EXPECT_THROW(network->forward(vector.x, vector.t, {}), Error);
}

// The row that stands for no class is none that a label can name: the others are counted without it.
TEST(DiffusersNetwork, AnyRowMayStandForNoClass) {
  NetworkFixture f = read_fixture("classes");
  const GradientMode off(false);
  const auto every = network_of(f);
  const auto of_row = [&](int64_t row) { return every->forward(f.x, f.t, at::full({2}, row, at::kLong)); };
  for (const int64_t none : {0, 2, 4}) {
    f.config["unconditional_class"] = none;
    const auto network = network_of(f);
    EXPECT_TRUE(network->knows_no_label());
    EXPECT_EQ(network->classes(), 4);
    EXPECT_EQ(network->config()["unconditional_class"], none);
    const auto frozen = network->frozen();
    for (const Forward* form : {static_cast<const Forward*>(network.get()), frozen.get()}) {
      if (!form) continue;
      const auto close = [&](const Tensor& y, int64_t row) { return relative_error(y, of_row(row)) < 1e-5; };
      EXPECT_TRUE(close(form->forward(f.x, f.t, {}), none));
      EXPECT_TRUE(close(form->forward(f.x, f.t, at::full({2}, -1, at::kLong)), none));
      for (int64_t label = 0; label < 4; ++label)
        EXPECT_TRUE(close(form->forward(f.x, f.t, at::full({2}, label, at::kLong)), label + (label >= none)))
            << none << ", " << label;
      if (none < 4) {
        EXPECT_THROW(form->forward(f.x, f.t, at::full({2}, 4, at::kLong)), Error);
      }
    }
  }
  f.config["unconditional_class"] = 5;
  EXPECT_THROW(make_network(f.config, 0), Error);
  f.config["unconditional_class"] = -1;
  EXPECT_THROW(make_network(f.config, 0), Error);
}

// What UNet2DConditionModel is told: a token alone, or after the numbers of a label.
TEST(DiffusersNetwork, AttendsToAToken) {
  const auto numbers = [](const char* name) { return network_of(read_fixture(name))->condition_size(); };
  EXPECT_EQ(numbers("token"), 3);
  EXPECT_EQ(numbers("token-number"), 1 + 3);
  EXPECT_EQ(numbers("token-projection"), 2 + 3);
  EXPECT_EQ(numbers("conditional-linear"), 5);
  const NetworkFixture f = read_fixture("token");
  const auto network = network_of(f);
  EXPECT_FALSE(network->knows_no_label());
  EXPECT_THROW(network->forward(f.x, f.t, {}), Error);
  EXPECT_THROW(network->forward(f.x, f.t, at::full_like(f.label, NAN)), Error);
  const GradientMode off(false);
  const Tensor other = network->forward(f.x, f.t, f.label + 1);
  EXPECT_GT(relative_error(other, f.y), 1e-3) << "the token says something";
}

TEST(DiffusersNetwork, SaysAgainWhatItIs) {
  for (const char* name : {"token", "token-linear", "token-levels", "token-number", "token-projection",
                           "conditional-classes", "conditional-identity", "conditional-linear"}) {
    const NetworkFixture f = read_fixture(name);
    const auto network = network_of(f), again = make_network(network->config(), 0);
    EXPECT_EQ(again->config(), network->config()) << name;
    const Json config = network->config();
    for (const auto& [key, value] : config.items())
      if (f.config.contains(key) && key != "time_embedding_dim") {
        EXPECT_EQ(value, f.config[key]) << name << ": " << key;
      }
    again->load(network->parameters());
    const GradientMode off(false);
    EXPECT_TRUE(again->forward(f.x, f.t, f.label).equal(network->forward(f.x, f.t, f.label))) << name;
  }
}

TEST(DiffusersNetwork, RefusesByNameWhatNoConditionIs) {
  using ::testing::HasSubstr;
  const Json token = read_fixture("token").config;
  const auto refusal = [&](const char* key, const Json& value) {
    Json config = token;
    config[key] = value;
    return refusal_of([&] { make_network(config, 0); }, ErrorKind::input);
  };
  for (const auto& [key, value] :
       std::vector<std::pair<const char*, Json>>{{"addition_embed_type", "text_time"},
                                                 {"encoder_hid_dim_type", "text_proj"},
                                                 {"only_cross_attention", true},
                                                 {"only_cross_attention", {false, true}},
                                                 {"dual_cross_attention", true},
                                                 {"class_embeddings_concat", true},
                                                 {"class_embed_type", "text"},
                                                 {"attention_type", "gated"},
                                                 {"time_embedding_type", "fourier"},
                                                 {"time_cond_proj_dim", 8},
                                                 {"conv_in_kernel", 1},
                                                 {"mid_block_type", "UNetMidBlock2DSimpleCrossAttn"},
                                                 {"attention_head_dim", {1, 2, 4}},
                                                 {"layers_per_block", {1, 2}},
                                                 {"cross_attention_dim", {3, 4}},
                                                 {"norm_num_groups", nullptr}})
    EXPECT_THAT(refusal(key, value), HasSubstr(fmt::format("\"{}\"", key)));
  EXPECT_THAT(refusal("down_block_types", {"DownBlock2D", "SimpleCrossAttnDownBlock2D"}),
              HasSubstr("CrossAttnDownBlock2D or ResnetDownsampleBlock2D"));
  EXPECT_THAT(refusal("num_class_embeds", 4), HasSubstr("expected a class or a vector"));
  EXPECT_THAT(refusal("attention_head_dim", 3), HasSubstr("multiples of their heads"));
  EXPECT_THAT(refusal("sample_size", 7), HasSubstr("sides that are multiples of 2"));
}

// A table of times has no rows before the first and after the last.
TEST(DiffusersNetwork, RefusesTimesThatItHasNotLearned) {
  const NetworkFixture f = read_fixture("learned");
  const auto network = network_of(f);
  for (const double t : {-1.0, 40.0})
    EXPECT_THROW(network->forward(f.x, at::full({1}, t, at::kFloat), {}), Error);
}

// Second derivatives, and those of weights, go through the plain form of what has no fused one.
TEST(DiffusersNetwork, HasGradientsOfEveryOption) {
  const NetworkFixture f = read_fixture("fourier-scale-shift");
  const auto network = network_of(f);
  network->to(at::kCPU, at::kDouble);
  const Tensor x = f.x.to(at::kDouble), t = f.t.to(at::kDouble);
  const Tensor direction = at::randn(x.sizes(), x.options());
  const Tensor& weight = network->parameter("down_blocks.0.downsamplers.0.time_emb_proj.weight");
  const auto value = [&] { return (network->forward(x, t, f.label) * direction).sum(); };
  value().backward();
  const Tensor gradient = weight.grad().clone();
  EXPECT_FALSE(network->parameter("time_proj.weight").grad().defined())
      << "random frequencies are not learned";
  const GradientMode off(false);
  const double h = 1e-5;
  const Tensor step = at::randn(weight.sizes(), weight.options());
  weight.add_(step, h);
  const double above = value().item<double>();
  weight.add_(step, -2 * h);
  const double below = value().item<double>();
  EXPECT_NEAR((above - below) / (2 * h), (gradient * step).sum().item<double>(), 1e-6);
}

}  // namespace
}  // namespace fokker
