#include "fokker/format/torch/torch_import.h"

#include <gmock/gmock.h>

#include "data/damage.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"
#include "format/torch/torch_files.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const notebook_chain = "ddpm:steps=200,beta_first=0.04,beta_last=0.04";

ImportOptions notebook_options(const std::string& mlp = "2-64-64-64-64-1,elu,input=x+t") {
  return {.mlp = mlp, .process = notebook_chain, .predict = "noise"};
}
std::string refusal_of_mlp(const std::string& mlp) {
  return error_of([&] { MlpDescription::parse(mlp); }, ErrorKind::argument);
}

class TorchImport : public FolderTest {
 protected:
  std::string refusal_of_import(const ImportOptions& options, const std::string& file = "notebook.pt",
                                ErrorKind kind = ErrorKind::input) {
    return error_of([&] { import_weights(torch_fixture(file), options); }, kind);
  }
};

// The network says what PyTorch's says, and is told the notebook's steps 0..199 at t = 1/200..1.
TEST_F(TorchImport, OfTheNotebooksNetworkSaysTheSame) {
  const auto outputs = load_torch(torch_fixture("notebook_noise.pt"));
  const Tensor &x = outputs[0].tensor, &step = outputs[1].tensor, &noise = outputs[2].tensor;
  for (const char* process : {notebook_chain, "vp-constant"}) {
    ImportOptions options = notebook_options();
    options.process = process;
    const Imported imported = import_weights(torch_fixture("notebook.pt"), options);
    EXPECT_THAT(imported.notes, ElementsAre("the network is told the steps 0..199 as its time"));
    const Model& model = imported.model;
    EXPECT_THAT(model.columns, ElementsAre("x0"));
    const auto denoiser = model.denoiser();
    for (int64_t i = 0; i < x.size(0); ++i) {
      const double t = static_cast<double>(step[i][0].item<int64_t>() + 1) / 200;
      const double said = denoiser->estimate(x.slice(0, i, i + 1), t).value().item<double>();
      EXPECT_NEAR(said, noise[i][0].item<double>(), 2e-5 * (1 + std::abs(said))) << process << " " << i;
    }
  }
}

TEST_F(TorchImport, TakesTimeFirstOrNotAtAll) {
  const auto weights = load_torch(torch_fixture("notebook.pt"));
  std::vector<NamedTensor> turned = weights;
  turned[0].tensor = at::cat({weights[0].tensor.slice(1, 1, 2), weights[0].tensor.slice(1, 0, 1)}, 1);
  const auto fitted = fit_layers(turned, MlpDescription::parse("2-64-64-64-64-1,elu,input=t+x"), "x");
  EXPECT_TRUE(fitted[0].tensor.equal(weights[0].tensor));
  turned[0].tensor = weights[0].tensor.slice(1, 0, 1);
  const auto timeless = fit_layers(turned, MlpDescription::parse("1-64-64-64-64-1,elu,input=x"), "x");
  EXPECT_TRUE(timeless[0].tensor.select(1, 0).equal(weights[0].tensor.select(1, 0)));
  EXPECT_EQ(timeless[0].tensor.select(1, 1).abs().max().item<float>(), 0);
}

// A safetensors file has no order of its own: ten layers are counted, not spelled.
TEST_F(TorchImport, OfSafetensorsIsInTheOrderOfNumbers) {
  std::vector<NamedTensor> tensors;
  for (int64_t i = 0; i <= 11; ++i) {
    const std::string name = "net." + std::to_string(i);
    tensors.push_back({name + ".weight", at::full({i == 11 ? 1 : 2, 2}, static_cast<double>(i), at::kFloat)});
    tensors.push_back({name + ".bias", at::full({i == 11 ? 1 : 2}, static_cast<double>(i), at::kFloat)});
  }
  save_safetensors(path("x.safetensors"), tensors);
  const Imported imported = import_weights(
      path("x.safetensors"),
      {.mlp = "2-2-2-2-2-2-2-2-2-2-2-2-1,relu,input=x+t,time=unit", .process = "vp", .predict = "data"});
  EXPECT_TRUE(imported.notes.empty());
  for (int64_t i = 0; i <= 11; ++i)
    EXPECT_EQ(imported.model.network->parameter(std::to_string(2 * i) + ".weight")[0][0].item<float>(), i);
}

TEST_F(TorchImport, NamesTheFirstThatDoesNotFit) {
  EXPECT_THAT(
      refusal_of_import(notebook_options("2-64-64-64-1,elu,input=x+t")),
      HasSubstr("expected the weight of layer 3, of shape (1, 64), but next is '6.weight', (64, 64) Float"));
  EXPECT_THAT(
      refusal_of_import(notebook_options("2-64-64-64-64-64-1,elu,input=x+t")),
      HasSubstr("expected the weight of layer 4, of shape (64, 64), but next is '8.weight', (1, 64)"));
  EXPECT_THAT(refusal_of_import(notebook_options("3-64-64-64-64-2,elu,input=x+t")),
              HasSubstr("expected the weight of layer 0, of shape (64, 3), but next is '0.weight', (64, 2)"));
  const std::vector<NamedTensor> extra = {{"0.weight", at::zeros({2, 2})},
                                          {"0.bias", at::zeros({2})},
                                          {"2.weight", at::zeros({1, 2})},
                                          {"2.bias", at::zeros({1})},
                                          {"scale", at::zeros({1})}};
  const auto small = MlpDescription::parse("2-2-1,elu");
  EXPECT_THAT(error_of([&] { fit_layers(extra, small, "x.pt"); }),
              HasSubstr("x.pt: 'scale' belongs to no layer of the 2 described"));
  EXPECT_THAT(error_of([&] {
                fit_layers({extra[0], extra[1], extra[2]}, small, "x.pt");
              }),
              HasSubstr("expected the bias of layer 1, of shape (1), but its 3 tensors end before"));
}

TEST_F(TorchImport, NeedsToBeToldWhatItIs) {
  ImportOptions options = notebook_options();
  options.predict = "";
  EXPECT_THAT(refusal_of_import(options, "notebook.pt", ErrorKind::argument),
              HasSubstr("--predict noise, data"));
  options.process = "";
  EXPECT_THAT(refusal_of_import(options, "notebook.pt", ErrorKind::argument),
              HasSubstr("expected the --process"));
  options.mlp = "";
  EXPECT_THAT(refusal_of_import(options, "notebook.pt", ErrorKind::argument),
              HasSubstr("expected --mlp \"2-256-256-1,elu,input=x+t\""));
  options = notebook_options("2-64-64-64-64-1,elu,time=index");
  options.process = "vp";
  EXPECT_THAT(refusal_of_import(options, "notebook.pt", ErrorKind::argument), HasSubstr("expected steps=N"));
}

TEST_F(TorchImport, NamesTheFirstForeignBlock) {
  EXPECT_THAT(refusal_of_import({.key = "model"}, "lucidrains.pt"),
              HasSubstr("lucidrains' Unet (denoising_diffusion_pytorch): 'model.init_conv.weight' is a first "
                        "convolution of 7 x 7"));
  const auto refused = [&](const std::vector<std::string>& names) {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) tensors.push_back({name, at::zeros({1})});
    return error_of([&] { refuse_foreign_blocks(tensors, "x.pt"); });
  };
  EXPECT_THAT(refused({"all_modules.0.weight", "all_modules.4.GroupNorm_0.weight"}),
              HasSubstr("'all_modules.0.weight' is a list of modules"));
  EXPECT_THAT(refused({"model.map_layer0.weight", "model.enc.32x32_conv.weight"}),
              HasSubstr("EDM's DhariwalUNet or SongUNet (Karras et al. 2022): 'model.map_layer0.weight'"));
}

TEST(MlpDescription, NamesThePartAtFault) {
  EXPECT_THAT(refusal_of_mlp("2-64-1"), HasSubstr("expected an activation after the sizes"));
  EXPECT_THAT(refusal_of_mlp("2-64-x,elu"),
              HasSubstr("expected a number from 1 to 1048576 but received 'x'"));
  EXPECT_THAT(refusal_of_mlp("2-1,elu"), HasSubstr("at least one hidden layer"));
  EXPECT_THAT(refusal_of_mlp("2-64-32-1,elu"),
              HasSubstr("hidden layers of one width but received 64 and 32"));
  EXPECT_THAT(refusal_of_mlp("3-64-1,elu"), HasSubstr("one input more than outputs"));
  EXPECT_THAT(refusal_of_mlp("2-64-1,swish"), HasSubstr("activation: expected one of silu, elu"));
  EXPECT_THAT(refusal_of_mlp("2-64-1,elu,input=t"), HasSubstr("input: expected one of x+t, t+x"));
  EXPECT_THAT(refusal_of_mlp("2-64-1,elu,bias=no"), HasSubstr("expected input, time, steps or sigma-data"));
  EXPECT_EQ(MlpDescription::parse("6-8-8-2,tanh,input=x+sinusoidal").options().embedding_size, 4);
}

// EDM's output is told c_noise and gets c_in x, for data of the deviation said.
TEST(MlpDescription, OfEdmsOutputScalesItsInput) {
  std::string note;
  const auto spec = MlpDescription::parse("3-8-2,silu,sigma-data=0.25")
                        .spec(GaussianProcess(make_schedule("edm")), "edm", note);
  EXPECT_EQ(spec.time_input.kind, TimeInput::Kind::quarter_log_sigma);
  EXPECT_TRUE(spec.scale_input);
  EXPECT_EQ(spec.prediction.sigma_data(), 0.25);
  EXPECT_EQ(note, "the network is told log(sigma/alpha)/4 as its time");
}

}  // namespace
}  // namespace fokker
