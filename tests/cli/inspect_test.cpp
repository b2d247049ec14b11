// What the launcher says of a model from its files alone is what the engine says after loading it.
#include "fixture.h"

namespace fokker {
namespace {

class Inspect : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    ASSERT_EQ(
        run("train --data target:two-modes --out run --steps 2 --rows 64 --width 8 --depth 1 --no-report")
            .code,
        0);
  }
  std::string engine(const std::string& arguments) const {
    const std::string program = fs::path(FOKKER_COMMAND).parent_path() / "fokker-engine";
    std::system(
        fmt::format("cd '{}' && '{}' {} >engine.txt 2>&1", folder_.string(), program, arguments).c_str());
    return read_file(path("engine.txt"));
  }
  /// A copy of the launcher without an engine beside it: what it says is from the files alone.
  Outcome alone(const std::string& arguments) const {
    fs::copy_file(FOKKER_COMMAND, path("fokker"), fs::copy_options::skip_existing);
    std::system(
        fmt::format("cd '{}' && ./fokker {} >alone.txt 2>alone.err", folder_.string(), arguments).c_str());
    return {0, read_file(path("alone.txt")), read_file(path("alone.err"))};
  }
};

TEST_F(Inspect, AnswersFromTheFilesWhatTheEngineAnswers) {
  for (const char* arguments : {"inspect run", "inspect run --json"}) {
    const Outcome launcher = alone(arguments);
    EXPECT_EQ(launcher.err, "");
    EXPECT_EQ(launcher.out, engine(arguments)) << arguments;
  }
  EXPECT_THAT(run("inspect run").out, HasSubstr("parameters"));
}

TEST_F(Inspect, ShowsALongTableByItsEnds) {
  std::string betas;
  for (int i = 1; i <= 20; ++i) betas += fmt::format("{}\n", 0.01 * i);
  write("betas.txt", betas);
  ASSERT_EQ(
      run("train --data target:two-modes --process ddpm:betas=betas.txt --out chain --steps 2 --rows 64 "
          "--width 8 --depth 1 --no-report")
          .code,
      0);
  EXPECT_THAT(run("inspect chain").out, HasSubstr("\"betas\":\"0.01, 0.02, ... 0.2 (20 numbers)\""));
  EXPECT_EQ(Json::parse(run("inspect chain --json").out)["process"]["betas"].size(), 20u);
}

// The engine, which loads the model, says what is wrong.
TEST_F(Inspect, LeavesOtherFoldersToTheEngine) {
  const fs::path weights = path("run/network/diffusion_pytorch_model.safetensors");
  const std::string good = read_file(path("run/fokker.json")), bytes = read_file(weights);
  const auto left = [&](const std::string& arguments) {
    return alone(arguments).err.find("fokker-engine: No such file") != std::string::npos;
  };
  EXPECT_FALSE(left("inspect run"));
  write("run/fokker.json", good + " ");
  EXPECT_TRUE(left("inspect run")) << "it is not what was written";
  write("run/fokker.json", good);
  fs::remove(path("run/manifest.json"));
  EXPECT_FALSE(left("inspect run"));
  EXPECT_TRUE(left("inspect run --threads 1"));
  EXPECT_TRUE(left("inspect nowhere"));
  const auto with = [&](const std::string& old, const std::string& now) {
    std::string text = good;
    const size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    write("run/fokker.json", text.replace(at, old.size(), now));
    return left("inspect run");
  };
  EXPECT_TRUE(with("\"format\": 1", "\"format\": 2"));
  EXPECT_TRUE(with("\"fokker_version\": \"", "\"fokker_version\": \"older "));
  EXPECT_TRUE(with("\"width\": 8", "\"width\": 9"));
  EXPECT_TRUE(with("\"label_names\": []", "\"label_names\": [\"a\"]"));
  EXPECT_TRUE(with("{", "{{"));
  EXPECT_FALSE(with("\"seed\": 0", "\"seed\": 1"));
  write("run/network/diffusion_pytorch_model.safetensors", bytes.substr(0, bytes.size() - 1));
  EXPECT_TRUE(left("inspect run"));
  EXPECT_EQ(run("inspect run").code, 3);
}

// Numbers that nobody asks for are not read: what describes a model comes at once, whatever its size.
TEST_F(Inspect, ReadsNoNumbersUnlessAskedTo) {
  const std::string weights = path("run/network/diffusion_pytorch_model.safetensors");
  const std::string before = alone("inspect run").out;
  std::string bytes = read_file(weights);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write("run/network/diffusion_pytorch_model.safetensors", bytes);
  EXPECT_EQ(alone("inspect run").out, before);
  EXPECT_NE(before, "");
  expect_refusal("sample run --n 2 --out s.npy", 3, "is damaged");
  EXPECT_EQ(run("inspect run --check").code, 3);
}

// A run is whole; then one byte of a checkpoint is another, and a file of the model is gone.
TEST_F(Inspect, ChecksEveryByteOfARun) {
  const Outcome good = run("inspect run --check --json");
  ASSERT_EQ(good.code, 0) << good.err;
  const Json whole = Json::parse(good.out);
  EXPECT_EQ(whole["passed"], true);
  ASSERT_EQ(whole["folders"].size(), 2u);
  EXPECT_EQ(whole["folders"][0]["folder"], "run");
  EXPECT_EQ(whole["folders"][0]["files"], 3);
  EXPECT_EQ(whole["folders"][1]["files"], 5);
  const fs::path moment = path("run/checkpoints/step-000000002/first_moment.safetensors");
  std::string bytes = read_file(moment);
  bytes[bytes.size() - 1] = static_cast<char>(bytes[bytes.size() - 1] ^ 1);
  write("run/checkpoints/step-000000002/first_moment.safetensors", bytes);
  write("run/notes.txt", "the user's");
  const Outcome flipped = run("inspect run --check --json");
  EXPECT_EQ(flipped.code, 3);
  EXPECT_THAT(flipped.err, HasSubstr("fokker: run/checkpoints/step-000000002/first_moment.safetensors: is "
                                     "damaged: expected bytes of the checksum"));
  EXPECT_EQ(Json::parse(flipped.out)["passed"], false);
  fs::remove(path("run/network/config.json"));
  const Outcome gone = run("inspect run --check");
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.err, HasSubstr("run/network/config.json: is missing (and 1 more)"));
  EXPECT_THAT(gone.out, HasSubstr("first_moment.safetensors: is damaged"));
  expect_refusal("inspect . --check", 3, "not a run folder");
}

}  // namespace
}  // namespace fokker
