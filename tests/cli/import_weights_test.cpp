// Networks that PyTorch trained, from their files of weights.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"

namespace fokker {
namespace {

class CliImportWeights : public CliInside {
 protected:
  static std::string fixture(const std::string& name) {
    return std::string(FOKKER_SOURCE_DIR) + "/tests/format/torch/" + name;
  }
  const std::string import = "import " + fixture("notebook.pt") +
                             " --out run --quiet --process ddpm:steps=200,beta_first=0.04,beta_last=0.04 "
                             "--predict noise ";
};

// The notebook's network (source S3) draws its four points, each a quarter of the time.
TEST_F(CliImportWeights, OfTheNotebookDrawItsPoints) {
  ASSERT_EQ(refusal(import + "--mlp 2-64-64-64-64-1,elu,input=x+t"), "");
  ASSERT_EQ(refusal("sample run --n 2000 --sampler ancestral --out s.npy --quiet"), "");
  const Tensor samples = load_npy(path("s.npy"));
  ASSERT_EQ(samples.sizes(), (std::vector<int64_t>{2000, 1}));
  double near = 0;
  for (const double point : {-15.0, -5.0, 1.0, 15.0}) {
    const double share = (samples - point).abs().lt(1).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(share, 0.25, 0.08) << point;
    near += share;
  }
  EXPECT_GT(near, 0.97);
  EXPECT_EQ(refusal("likelihood run --data s.npy --rtol 1e-2 --atol 1e-2 --quiet"), "");
}

// From a file of torch.save and from one of safetensors: a run like one of our own.
TEST_F(CliImportWeights, AreTrainedOnEncodedAndReported) {
  ASSERT_EQ(refusal(import + "--mlp 2-64-64-64-64-1,elu,input=x+t"), "");
  ASSERT_EQ(refusal("sample run --n 300 --sampler ancestral --out s.npy --quiet"), "");
  save_safetensors(path("weights.safetensors"), load_torch(fixture("notebook.pt")));
  ASSERT_EQ(refusal("import weights.safetensors --out other --quiet --process "
                    "ddpm:steps=200,beta_first=0.04,beta_last=0.04 --predict noise --mlp "
                    "2-64-64-64-64-1,elu,input=x+t"),
            "");
  for (const std::string run : {"run", "other"}) {
    EXPECT_EQ(refusal("encode " + run + " --data s.npy --out z.npy --quiet"), "");
    EXPECT_EQ(refusal("report " + run + " --data s.npy --out report.html --quiet"), "");
    EXPECT_EQ(refusal("train --data s.npy --from " + run + " --out tuned-" + run +
                      " --steps 2 --batch 64 --no-report --quiet"),
              "");
  }
  EXPECT_EQ(refusal("sample run --n 50 --out a.npy --quiet"), "");
  EXPECT_EQ(refusal("sample other --n 50 --out b.npy --quiet"), "");
  EXPECT_EQ(read_file("a.npy"), read_file("b.npy")) << "the same weights";
}

TEST_F(CliImportWeights, ThatDoNotFitAreRefusedByName) {
  EXPECT_THAT(refusal(import + "--mlp 2-32-1,elu,input=x+t", ErrorKind::input),
              HasSubstr("expected the weight of layer 0, of shape (32, 2), but next is '0.weight', (64, 2)"));
  EXPECT_THAT(refusal(import), HasSubstr("expected --mlp \"2-256-256-1,elu,input=x+t\""));
  EXPECT_THAT(
      refusal("import " + fixture("lucidrains.pt") + " --key model --out run --quiet", ErrorKind::input),
      HasSubstr("'model.init_conv.weight' is a first convolution of 7 x 7"));
  EXPECT_FALSE(fs::exists(path("run")));
  EXPECT_EQ(refusal("inspect " + fixture("checkpoint.pt") + " --quiet"), "");
  EXPECT_THAT(refusal("inspect " + fixture("program.pt"), ErrorKind::input), HasSubstr("__builtin__.print"));
}

}  // namespace
}  // namespace fokker
