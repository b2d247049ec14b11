// What is written has the separator, the decimal mark, the header and the encoding of what was read.
#include "cli/inside.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/format/model.h"

namespace fokker {
namespace {

using ::testing::MatchesRegex;
using ::testing::StartsWith;

class FileFormat : public CliInside {
 protected:
  static std::string table(const char* header, const char* town) {
    std::string text = header;
    for (int i = 0; i < 120; ++i) {
      std::string pay = fmt::format("{:.2f}", 0.25 * (i * 53 % 100));
      std::replace(pay.begin(), pay.end(), '.', ',');
      text += fmt::format("{};{};{}\n", 20 + i * 37 % 50, i % 3 ? town : "Ulm", pay);
    }
    return text;
  }
  std::vector<std::string> lines(const std::string& file) const {
    std::istringstream text(read_file(path(file)));
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
  static void train(const std::string& more) {
    ASSERT_EQ(refusal("train --data d.csv --out run --overwrite --steps 5 --width 8 --depth 1 --batch 64 "
                      "--no-report --quiet " +
                      more),
              "");
  }
};

TEST_F(FileFormat, OfSamplesIsThatOfTheData) {
  write("d.csv", table("Alter;Ort;Lohn\n", "Bonn"));
  train("");
  ASSERT_EQ(refusal("sample run --n 30 --steps 4 --out s.csv --quiet"), "");
  const auto rows = lines("s.csv");
  ASSERT_EQ(rows.size(), 31u);
  EXPECT_EQ(rows[0], "Alter;Ort;Lohn");
  for (size_t i = 1; i < rows.size(); ++i)
    EXPECT_THAT(rows[i], MatchesRegex("[2-6][0-9];(Bonn|Ulm);[0-9]+,[0-9][0-9]"));
  const Json found = answer("evaluate --samples s.csv --reference d.csv").json;
  EXPECT_EQ(found["impossible"], 0);
  EXPECT_EQ(found["table_columns"][2]["kind"], "real");
  // What is asked for overrules it.
  ASSERT_EQ(refusal("sample run --n 5 --steps 4 --out s.csv --quiet --out-separator tab --out-decimal . "
                    "--out-header no"),
            "");
  const auto other = lines("s.csv");
  ASSERT_EQ(other.size(), 5u);
  EXPECT_THAT(other[0], MatchesRegex("[2-6][0-9]\t(Bonn|Ulm)\t[0-9]+[.][0-9][0-9]"));
  EXPECT_THAT(refusal("sample run --n 5 --out s.csv --out-separator a"),
              HasSubstr("out-separator: expected a character such as , or ;"));
  // Latents come back in it too.
  ASSERT_EQ(refusal("encode run --data d.csv --out z.npy --quiet --rtol 1e-3 --atol 1e-3"), "");
  ASSERT_EQ(refusal("decode run --data z.npy --out back.csv --quiet --rtol 1e-3 --atol 1e-3"), "");
  EXPECT_EQ(lines("back.csv")[0], "Alter;Ort;Lohn");
}

TEST_F(FileFormat, WithoutAHeaderAndInLatin1) {
  write("d.csv", table("", "K\xf6ln"));
  train("--encoding latin-1");
  const CsvFormat format = load_model("run").format;
  EXPECT_EQ(format, (CsvFormat{';', false, ',', TextEncoding::latin1}));
  ASSERT_EQ(refusal("sample run --n 30 --steps 4 --out s.csv --quiet"), "");
  const auto rows = lines("s.csv");
  ASSERT_EQ(rows.size(), 30u);
  EXPECT_THAT(read_file("s.csv"), HasSubstr(";K\xf6ln;"));
  EXPECT_EQ(answer("evaluate --samples s.csv --reference d.csv --encoding latin-1").json["impossible"], 0);
  write("gaps.csv", "33;K\xf6ln;\n;K\xf6ln;1,5\n50;Ulm;2,5\n");
  ASSERT_EQ(refusal("impute run --data gaps.csv --out f.csv --steps 4 --encoding latin-1 --quiet"), "");
  const auto filled = lines("f.csv");
  ASSERT_EQ(filled.size(), 3u);
  EXPECT_THAT(filled[0], MatchesRegex("33;K\xf6ln;[0-9]+,[0-9][0-9]"));
  EXPECT_EQ(filled[2], "50;Ulm;2,5");
}

TEST_F(FileFormat, OfPlainNumbersToo) {
  std::string text = "x;y\n";
  const Tensor z = Rng(1).normal({200, 2}, {}, at::kDouble);
  for (int i = 0; i < 200; ++i)
    text += fmt::format("{};{}\n", z[i][0].item<double>(), 1e5 * z[i][1].item<double>());
  std::replace(text.begin(), text.end(), '.', ',');
  write("d.csv", text);
  train("");
  ASSERT_EQ(refusal("sample run --n 20 --steps 4 --out s.csv --quiet"), "");
  const auto rows = lines("s.csv");
  EXPECT_EQ(rows[0], "x;y");
  EXPECT_THAT(rows[1], MatchesRegex("-?[0-9]+(,[0-9]+)?(e[-+][0-9]+)?;-?[0-9]+(,[0-9]+)?(e[-+][0-9]+)?"));
  EXPECT_THAT(read_file("s.csv"), ::testing::Not(HasSubstr(".")));
  EXPECT_EQ(load_table(path("s.csv")).data.size(), 20);
}

// Of files without a model the same is said as of those that train reads.
TEST_F(FileFormat, KindsAreSaidToCommandsWithoutAModel) {
  std::string text = "grade,price,kept\n", more = text;
  for (int i = 0; i < 200; ++i) {
    text += fmt::format("{},{},{}\n", i % 7 + 1, i * 37 % 101, i % 2);
    more += fmt::format("{},{},{}\n", i % 7 + 1, i * 53 % 101, i % 2);
  }
  write("d.csv", text);
  write("s.csv", more);
  const std::string pair = "evaluate --samples s.csv --reference d.csv";
  const auto kinds = [&](const std::string& arguments) {
    std::vector<std::string> all;
    const Json found = answer(arguments).json;
    for (const Json& column : found["table_columns"])
      all.push_back(
          fmt::format("{}={}", column["column"].get<std::string>(), column["kind"].get<std::string>()));
    return all;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(kinds(pair), ElementsAre("grade=categorical", "price=integer", "kept=categorical"));
  EXPECT_THAT(kinds(pair + " --type grade=integer --type kept=drop"),
              ElementsAre("grade=integer", "price=integer"));
  write("k.json", R"({"grade": "ordinal", "price": "categorical"})");
  EXPECT_THAT(kinds(pair + " --schema k.json"),
              ElementsAre("grade=ordinal", "price=categorical", "kept=categorical"));
  // A whole schema says which columns there are.
  Schema schema = *load_table("d.csv").data.schema;
  schema.columns.pop_back();
  write("whole.json", schema.to_json().dump());
  EXPECT_THAT(kinds(pair + " --schema whole.json"), ElementsAre("grade=categorical", "price=integer"));
  EXPECT_THAT(refusal("evaluate --samples s.csv --reference target:moons --type a=real"),
              HasSubstr("type: expected CSV files"));
  EXPECT_THAT(refusal(pair + " --type grade=number"), HasSubstr("expected COLUMN=KIND"));
  const Json seen = answer("inspect d.csv --type kept=real").json["columns"];
  EXPECT_EQ(seen[0]["kind"], "categorical");
  EXPECT_EQ(seen[1]["kind"], "integer");
  EXPECT_EQ(seen[2]["mean"], 0.5);
}

}  // namespace
}  // namespace fokker
