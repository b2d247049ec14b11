// What keeps a run alive, and how it is watched.
#include "fixture.h"

namespace fokker {
namespace {

class LongRun : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    write_points(100);
  }
  static std::string train_words() {
    return "train --data points.csv --out run --batch 8 --width 8 --depth 1 --no-report ";
  }
  int64_t files(const std::string& folder) const {
    return std::distance(fs::directory_iterator(path(folder)), {});
  }
};

// Damage of the newest, found by the command: it goes on from the one before and ends with the same bytes.
TEST_F(LongRun, GoesOnFromTheCheckpointBeforeADamagedOne) {
  ASSERT_EQ(
      run(train_words() + "--steps 12 --checkpoint-every 4 --keep-best --held-out-every 2 --tensorboard")
          .code,
      0);
  const std::string weights = read_file(path("run/network/diffusion_pytorch_model.safetensors"));
  const std::string best = read_file(path("run/best/network/diffusion_pytorch_model.safetensors"));
  EXPECT_EQ(run("inspect run --check").code, 0);
  EXPECT_EQ(files("run/tensorboard"), 1);
  fs::resize_file(path("run/checkpoints/step-000000012/average.safetensors"), 100);
  const Outcome again = run("train --data points.csv --out run --resume");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("step-000000012/average.safetensors: is damaged: expected"));
  EXPECT_THAT(again.err, HasSubstr("set aside as damaged-step-000000012"));
  EXPECT_EQ(read_file(path("run/network/diffusion_pytorch_model.safetensors")), weights);
  EXPECT_EQ(read_file(path("run/best/network/diffusion_pytorch_model.safetensors")), best);
  EXPECT_EQ(files("run/tensorboard"), 2);
  EXPECT_EQ(run("sample run/best --n 5 --out best.csv").code, 0);
  const Outcome checked = run("inspect run --check --json");
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(Json::parse(checked.out)["set_aside"].size(), 1u);
}

// A limit on the size of files is a full disk to the one who writes; it killed the process.
TEST_F(LongRun, AFileSizeLimitIsOneLine) {
  ASSERT_EQ(run(train_words() + "--steps 2").code, 0);
  const auto before = files(".");
  const Outcome sampled = run("sample run --n 20000 --out big.csv", "ulimit -f 64;");
  EXPECT_EQ(sampled.code, 5) << sampled.err;
  EXPECT_THAT(sampled.err, HasSubstr("fokker: big.csv: "));
  EXPECT_THAT(sampled.err, HasSubstr("File too large"));
  EXPECT_EQ(files("."), before) << "nothing is left of it";
  const Outcome trained =
      run("train --data points.csv --out run --resume --steps 4 --width 8", "ulimit -f 1;");
  EXPECT_EQ(trained.code, 5) << trained.err;
  EXPECT_THAT(trained.err,
              HasSubstr("fokker: run/network/diffusion_pytorch_model.safetensors: cannot be written: "
                        "File too large\n"));
  EXPECT_EQ(run("inspect run --check").code, 0);
}

// What does not fit is refused in one line, whoever finds it: the loader, the allocator or libtorch.
TEST_F(LongRun, TooLittleMemoryIsOneLine) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory is terabytes";
#endif
  for (const int kilobytes : {60'000, 350'000}) {
    const Outcome drawn = run("sample --target two-modes --n 200000000 --out big.npy --quiet",
                              fmt::format("ulimit -v {};", kilobytes));
    EXPECT_EQ(drawn.code, 5) << drawn.err;
    EXPECT_THAT(drawn.err, ::testing::StartsWith("fokker: out of memory"));
    EXPECT_EQ(std::ranges::count(drawn.err, '\n'), 1) << drawn.err;
    EXPECT_FALSE(fs::exists(path("big.npy")));
  }
}

TEST_F(LongRun, EndsEarlyAndSaysSo) {
  // The training rows are few and the network is large enough to learn them by heart.
  const Outcome early = run(
      "train --data points.csv --out run --batch 32 --width 64 --depth 2 --steps 3000 --learning-rate 0.01 "
      "--held-out 0.3 --held-out-every 20 --patience 3 --keep-best --no-report --json");
  ASSERT_EQ(early.code, 0) << early.err;
  const Json result = Json::parse(early.out);
  EXPECT_EQ(result["ended"], "patience");
  EXPECT_EQ(result["steps"].get<int64_t>(), result["best"]["step"].get<int64_t>() + 60);
  EXPECT_LT(result["best"]["held_out_loss"].get<double>(), result["held_out_loss"].get<double>() + 1e-9);
  EXPECT_EQ(read_json(path("run/best/fokker.json"))["training"]["held_out_loss"],
            result["best"]["held_out_loss"]);
  const Outcome seen = run("watch run --once --json");
  ASSERT_EQ(seen.code, 0) << seen.err;
  EXPECT_EQ(Json::parse(seen.out)["state"], "early");
  EXPECT_EQ(run("train --data points.csv --out run --resume").code, 0);
}

// From its first line to its last, in another process; one that was killed is told apart.
TEST_F(LongRun, IsWatchedFromOutside) {
  const std::string start = fmt::format(
      "{{ '{}' {} --steps 1500 >train.txt 2>&1 & }}; for i in $(seq 600); do [ -s run/metrics.jsonl ] && "
      "break; "
      "sleep 0.05; done;",
      FOKKER_COMMAND, train_words());
  EXPECT_EQ(run("watch run", start).code, 0);
  const std::string watched = read_file(path("out.txt"));
  EXPECT_THAT(watched, HasSubstr("step 50/1500  loss "));
  EXPECT_THAT(watched, HasSubstr("\nstep 1500/1500  loss "));
  EXPECT_THAT(read_file(path("err.txt")), HasSubstr("the run has ended: completed"));
  Json status = read_json(path("run/status.json"));
  status["state"] = "running";
  write("run/status.json", status.dump());
  EXPECT_EQ(run("watch run").code, 1);
  EXPECT_THAT(run("watch run --once").out, HasSubstr("killed"));
  expect_refusal("watch nowhere", 3, "nowhere: expected a run folder to watch");
  expect_refusal("watch .", 3, "not a run folder");
}

}  // namespace
}  // namespace fokker
