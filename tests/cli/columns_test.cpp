// Files are read as the model knows them: columns by their names, labels, images in their units.
#include <numbers>

#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

using ::testing::Not;

constexpr const char* small = " --batch 64 --width 16 --depth 1 --no-report --quiet --overwrite --out run ";

class ColumnCommand : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    const Tensor noise = Rng(2).normal({100, 2}, {}, at::kDouble);
    for (int i = 0; i < 100; ++i) {
      const std::string a = fmt::format("{:.6f}", 100 + noise[i][0].item<double>()),
                        b = fmt::format("{:.6f}", 5 + 0.1 * noise[i][1].item<double>());
      rows_.push_back({a, b});
    }
    write_columns("ab.csv", "a,b", "{0},{1}");
    write_columns("ba.csv", "b,a", "{1},{0}");
    write_columns("more.csv", "id,b,text,a", "7,{1},word,{0}");
    write_columns("plain.csv", "", "{0},{1}");
    write_columns("x.csv", "x0,x1", "{0},{1}");
    write_columns("az.csv", "a,z", "{0},{1}");
    save_npy(path("ab.npy"), load_csv(path("ab.csv")).values);
  }
  /// The rows under a header, each as `format` writes a and b.
  void write_columns(const std::string& name, const std::string& header, const std::string& format) const {
    std::string text = header.empty() ? "" : header + "\n";
    for (const auto& [a, b] : rows_) text += fmt::format(fmt::runtime(format), a, b) + "\n";
    write(name, text);
  }
  static void train(const std::string& options) {
    ASSERT_EQ(refusal("train" + std::string(small) + options), "");
  }
  static double nats(const std::string& file, const std::string& more = "") {
    return answer("likelihood run --data " + file + " " + more).json["nats"].get<double>();
  }
  Tensor output(const std::string& command, const std::string& file) const {
    EXPECT_EQ(refusal(command + " run --out out.csv --quiet --data " + file), "");
    return load_csv(path("out.csv")).values;
  }

  std::vector<std::pair<std::string, std::string>> rows_;
};

TEST_F(ColumnCommand, AreMatchedByName) {
  train("--data ab.csv --steps 30");
  const double expected = nats("ab.csv");
  for (const char* file : {"ba.csv", "more.csv", "plain.csv", "x.csv", "ab.npy"})
    EXPECT_EQ(nats(file), expected) << file;
  EXPECT_THAT(answer("likelihood run --data more.csv").said, HasSubstr("columns 'id', 'text' left out"));
  for (const char* file : {"plain.csv", "x.csv", "ab.npy"})
    EXPECT_THAT(answer(fmt::format("likelihood run --data {}", file)).said,
                HasSubstr("x0, x1 are taken in this order for a, b"))
        << file;
  for (const char* command : {"encode", "score --time 0.5", "interpolate --rows 0,9 --frames 3"})
    EXPECT_TRUE(output(command, "ba.csv").equal(output(command, "ab.csv"))) << command;
  for (const char* command : {"likelihood", "encode --out out.csv", "score --time 0.5 --out out.csv",
                              "interpolate --rows 0,1 --out out.csv"})
    EXPECT_THAT(refusal(fmt::format("{} run --data az.csv", command), ErrorKind::input),
                HasSubstr("az.csv: no column 'b', which the model has: its columns are a, z"))
        << command;
  write_columns("case.csv", "a,B", "{0},{1}");
  EXPECT_THAT(refusal("likelihood run --data case.csv", ErrorKind::input),
              HasSubstr("its 'B' differs in case"));
  EXPECT_THAT(refusal("plot score-field run --data az.csv --out f.png", ErrorKind::input),
              HasSubstr("no column 'b'"));
}

// Names that nobody gave are no names: latents, and models of arrays.
TEST_F(ColumnCommand, WithoutNamesAreMatchedByPlace) {
  train("--data ab.npy --steps 30");
  EXPECT_EQ(nats("ab.csv"), nats("ab.npy"));
  EXPECT_THAT(answer("likelihood run --data ab.csv").said, HasSubstr("the model has no names of columns"));
  EXPECT_THAT(answer("likelihood run --data plain.csv").said, Not(HasSubstr("order")));
  train("--data ab.csv --steps 30");
  EXPECT_EQ(refusal("encode run --data ab.csv --out z.csv --quiet"), "");
  EXPECT_EQ(refusal("decode run --data z.csv --out back.csv --quiet"), "");
  EXPECT_LT(worst(load_csv(path("back.csv")).values, load_csv(path("ab.csv")).values), 1e-3);
  EXPECT_THAT(load_csv(path("back.csv")).columns, ::testing::ElementsAre("a", "b"));
}

TEST_F(ColumnCommand, TwoFilesAreComparedByName) {
  const auto distance = [](const std::string& samples, const std::string& reference) {
    return answer("evaluate --samples " + samples + " --reference " + reference).json;
  };
  const Json expected = distance("ab.csv", "ab.csv");
  for (const char* other : {"ba.csv", "more.csv", "plain.csv", "ab.npy"}) {
    EXPECT_EQ(distance("ab.csv", other)["energy_distance"], expected["energy_distance"]) << other;
    EXPECT_EQ(distance(other, "ab.csv")["mean_error"], expected["mean_error"]) << other;
  }
  EXPECT_EQ(expected["compared_columns"], (std::vector<std::string>{"a", "b"}));
  EXPECT_THAT(refusal("evaluate --samples az.csv --reference ab.csv", ErrorKind::input),
              HasSubstr("which az.csv has: its columns are a, b"));
  EXPECT_THAT(refusal("evaluate --samples az.csv --reference more.csv", ErrorKind::input),
              HasSubstr("more.csv: no column 'z', which az.csv has"));
  EXPECT_EQ(refusal("plot scatter ab.csv more.csv --out p.svg --quiet"), "");
  EXPECT_EQ(refusal("plot scatter ab.csv ba.csv --out q.svg --quiet"), "");
  EXPECT_THAT(refusal("plot scatter ab.csv az.csv --out p.svg", ErrorKind::input),
              HasSubstr("no column 'b'"));
}

TEST_F(ColumnCommand, ARunGoesOnAndIsReportedByName) {
  train("--data ab.csv --steps 20");
  fs::copy(path("run"), path("other"), fs::copy_options::recursive);
  const std::string more = " --steps 30 --batch 64 --width 16 --depth 1 --no-report --quiet --resume";
  EXPECT_EQ(refusal("train --data ab.csv --out run" + more), "");
  EXPECT_EQ(refusal("train --data ba.csv --out other" + more), "");
  const char* weights = "network/diffusion_pytorch_model.safetensors";
  EXPECT_TRUE(read_file(path("run/") + weights) == read_file(path("other/") + weights));
  EXPECT_THAT(refusal("train --data az.csv --out run" + more, ErrorKind::input), HasSubstr("no column 'b'"));
  const Json first = answer("report run --data ab.csv").json,
             second = answer("report run --data ba.csv").json;
  EXPECT_EQ(first["columns"], second["columns"]);
  EXPECT_THAT(refusal("report run --data az.csv", ErrorKind::input), HasSubstr("no column 'b'"));
}

TEST_F(ColumnCommand, WhatTrainingChoseIsFoundAgain) {
  write_columns("more.csv", "id,b,text,a", "7,{1},word,{0}");
  train("--data more.csv --columns b --steps 30");
  EXPECT_TRUE(std::isfinite(nats("more.csv")));
  write_columns("plain.csv", "", "{0},{1},3");
  train("--data plain.csv --columns x2,x1 --steps 30");
  EXPECT_TRUE(std::isfinite(nats("plain.csv")));
  EXPECT_THAT(answer("likelihood run --data plain.csv").said, HasSubstr("'x0' left out"));
}

// Two classes 16 apart: E log p(x | label) is minus the entropy of a normal, and no density is better without
// the label than log 2 below, on 100 rows within 0.07.
TEST_F(ColumnCommand, LabelsInTheFileAreUsed) {
  std::string text = "x,y\n", unlabelled = "x\n";
  const Tensor noise = Rng(5).normal({400}, {}, at::kDouble);
  for (int i = 0; i < 400; ++i) {
    text += fmt::format("{},{}\n", noise[i].item<double>() + (i % 2 ? 8 : -8), i % 2 ? "two" : "one");
    unlabelled += fmt::format("{}\n", noise[i].item<double>() + (i % 2 ? 8 : -8));
  }
  write("d.csv", text);
  write("u.csv", unlabelled);
  train("--data d.csv --label-column y --steps 500");
  const auto found = answer("likelihood run --data d.csv --rows 100");
  EXPECT_EQ(found.json["given_labels"], true);
  const double given = found.json["nats"].get<double>(), without = nats("u.csv", "--rows 100");
  const double best = -0.5 * std::log(2 * std::numbers::pi * std::exp(1.0));
  EXPECT_NEAR(given, best, 0.3);
  EXPECT_LT(without, best - std::log(2.0) + 0.25);
  EXPECT_EQ(nats("d.csv", "--rows 100 --unconditional"), without);
  EXPECT_THAT(answer("likelihood run --data u.csv --rows 10").said, HasSubstr("it has no labels"));
  EXPECT_THAT(answer("encode run --data d.csv --out z.npy").said,
              HasSubstr("labels in column 'y' take no part"));
  EXPECT_GT(nats("d.csv", "--rows 50 --method elbo --steps 100"),
            nats("u.csv", "--rows 50 --method elbo --steps 100"));
  write("new.csv", "y,x\none,-8\nthree,8\n");
  EXPECT_THAT(refusal("likelihood run --data new.csv", ErrorKind::input),
              HasSubstr("row 1 (from 0): label 'three' was not there in training: expected one of one, two"));
  write("close.csv", "Y,x\none,-8\n");
  EXPECT_THAT(refusal("likelihood run --data close.csv", ErrorKind::input),
              HasSubstr("no column 'y' of labels"));
}

// One set of images as bytes and as floats: the same network, so what is said of a file does not depend on
// which of the two it was trained on. It was log2 127.5 bits off.
TEST_F(ColumnCommand, FiguresOfImagesAreInTheUnitsOfTheFile) {
  const Tensor bytes = (Rng(1).uniform({24, 1, 8, 8}) * 256).to(at::kByte);
  save_npy(path("bytes.npy"), bytes);
  save_npy(path("floats.npy"), bytes.to(at::kFloat) / 127.5 - 1);
  std::vector<double> of_bytes, of_floats;
  std::vector<Tensor> scores;
  for (const std::string data : {"bytes.npy", "floats.npy"}) {
    ASSERT_EQ(refusal("train --data " + data + " --out run --overwrite --steps 2 --batch 4 --channels 32 " +
                      "--no-report --quiet"),
              "");
    const std::string command = "likelihood run --rows 2 --method elbo --steps 4 --data ";
    const Json a = answer(command + "bytes.npy").json, b = answer(command + "floats.npy").json;
    of_bytes.push_back(a["bits_per_dimension"].get<double>());
    of_floats.push_back(b["bits_per_dimension"].get<double>());
    EXPECT_EQ(a["units"], "8-bit levels");
    EXPECT_EQ(b["units"], "[-1, 1]");
    for (const char* file : {"bytes.npy", "floats.npy"}) {
      ASSERT_EQ(refusal(fmt::format("score run --time 0.5 --quiet --out s.npy --data {}", file)), "");
      scores.push_back(load_npy(path("s.npy")));
    }
  }
  EXPECT_NEAR(of_bytes[0], of_bytes[1], 1e-3);
  EXPECT_NEAR(of_floats[0], of_floats[1], 1e-3);
  EXPECT_NEAR(of_bytes[0] - of_floats[0], std::log2(127.5), 0.1);  // but for the noise of a level
  EXPECT_LT(worst(scores[0], scores[2]), 1e-5);
  EXPECT_LT(worst(scores[1], scores[3]), 1e-4);
  EXPECT_LT(worst(scores[0] * 127.5, scores[1]), 1e-4);
  EXPECT_THAT(answer("likelihood run --rows 1 --method elbo --steps 4 --data floats.npy").said,
              HasSubstr("these floats are whole 8-bit levels"));
}

}  // namespace
}  // namespace fokker
