// How files are read is said by the same options of every command.
#include "cli/option/data_options.h"

#include "cli/fixture.h"

namespace fokker {
namespace {

using cli::DataOptions;
using ::testing::ElementsAre;
using ::testing::Not;

std::string refused(const DataOptions& options) {
  try {
    options.load_options();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::argument);
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

TEST(DataOptions, AreReadAsTyped) {
  DataOptions options{.columns = {"a,\"b,c\"", "\"say \"\"hi\"\"\""}};
  EXPECT_THAT(options.column_names(), ElementsAre("a", "b,c", "say \"hi\""));
  EXPECT_EQ(options.load_options().csv.separator, std::nullopt);
  for (const auto& [typed, separator] : std::vector<std::pair<std::string, char>>{{"tab", '\t'},
                                                                                  {"\\t", '\t'},
                                                                                  {";", ';'},
                                                                                  {"semicolon", ';'},
                                                                                  {"comma", ','},
                                                                                  {"blanks", ' '},
                                                                                  {":", ':'}})
    EXPECT_EQ(DataOptions{.separator = typed}.load_options().csv.separator, separator) << typed;
  EXPECT_EQ(DataOptions{.header = "no"}.load_options().csv.header, false);
  EXPECT_EQ(DataOptions{.decimal = "comma"}.load_options().csv.decimal, ',');
  EXPECT_EQ(DataOptions{.encoding = "latin-1"}.load_options().csv.encoding, TextEncoding::latin1);
  EXPECT_THAT(refused({.separator = ";;"}), HasSubstr("separator: expected a character"));
  for (const char* bad : {"a", "7", ".", "-", "\"", "#", "\n", ""})
    EXPECT_THAT(refused({.separator = bad}), HasSubstr("separator: expected a character")) << bad;
  EXPECT_THAT(refused({.header = "maybe"}),
              HasSubstr("header: expected yes, no or auto but received 'maybe'"));
  EXPECT_THAT(refused({.decimal = ";"}), HasSubstr("decimal: expected . or ,"));
  EXPECT_THAT(refused({.encoding = "utf-16"}), HasSubstr("encoding: expected utf-8 or latin-1"));
  EXPECT_THAT(refused({.separator = ",", .decimal = ","}),
              HasSubstr("another character than the decimal one"));
  EXPECT_THAT(refused({.columns = {"a,,b"}}), HasSubstr("columns: expected names"));
}

TEST(DataOptions, SurviveTheRecordOfARun) {
  const DataOptions options{.separator = ";",
                            .header = "no",
                            .decimal = ",",
                            .encoding = "latin-1",
                            .columns = {"a,\"b,c\"", "\"d\"\"e\"", "\" f\""}};
  const DataOptions back = DataOptions::from_json(Json::parse(json_text(options.to_json())));
  EXPECT_EQ(back.column_names(), options.column_names());
  EXPECT_EQ(back.to_json(), options.to_json());
  EXPECT_EQ(DataOptions::from_json(Json::object()).to_json(), DataOptions().to_json());
  const DataOptions merged = DataOptions{.header = "yes"}.or_else(options);
  EXPECT_EQ(merged.header, "yes");
  EXPECT_EQ(merged.separator, ";");
  EXPECT_EQ(merged.column_names(), options.column_names());
}

TEST_F(Cli, SaysHowAFileWasRead) {
  write("d.csv", "0,1,2\n100.5,1.5,7.5\n101.5,2.5,8.5\n99.5,3.5,9.5\n");
  const Outcome found = run("inspect d.csv --json --header no");
  EXPECT_EQ(Json::parse(found.out)["rows"], 4);
  const Json json = Json::parse(run("inspect d.csv --json --header yes").out);
  EXPECT_EQ(json["notes"][0], "comma, header, 3 rows, 3 columns");
  EXPECT_EQ(json["columns"][1]["name"], "1");
  write("e.csv", "Länge;\"b;c\"\n1,5;2\n2,5;3\n");
  const Outcome columns = run("inspect e.csv --columns '\"b;c\"'");
  EXPECT_THAT(columns.out, HasSubstr("b;c "));
  EXPECT_THAT(columns.out, Not(HasSubstr("Länge")));
  const Outcome scores =
      run("score --target standard-normal:dimension=2 --process vp --data e.csv --time 0.5 --out s.csv");
  EXPECT_EQ(scores.code, 0) << scores.err;
  EXPECT_THAT(scores.err, HasSubstr("e.csv: semicolon, header, 2 rows, 2 columns, decimal comma\n"));
  EXPECT_EQ(
      run("score --target data:e.csv --process vp --data e.csv --time 0.5 --columns Länge --out s.csv").code,
      0);
  EXPECT_EQ(load_csv(path("s.csv")).values.size(1), 1);
  expect_refusal("sample --target two-modes --header yes --out s.csv", 2, "expected --target data:FILE");
}

TEST_F(Cli, TrainsOnTextThatIsNotUtf8OnlyAsTold) {
  write("d.csv",
        "gr\xf6\xdf"
        "e,b,\"c,d\"\n1,2,7\n3,4,8\n5,7,9\n6,1,7\n2,2,8\n");
  const std::string train = "train --data d.csv --out run --steps 3 --width 8 --batch 4 --quiet";
  expect_refusal(train, 3, "d.csv: line 1: byte 3: expected text in UTF-8");
  EXPECT_FALSE(fs::exists(path("run")));
  const Outcome outcome = run(train + " --encoding latin-1 --columns '\"c,d\",größe'");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_json(path("run/fokker.json"))["columns"], Json({"c,d", "größe"}));
  // The report found its rows by the recorded options, and the saved configuration repeats them.
  EXPECT_EQ(run("report run --quiet").code, 0);
  EXPECT_THAT(read_file(path("run/report.html")), Not(HasSubstr("cannot be read again")));
  fs::remove_all(path("again"));
  const Outcome again = run("train --config run/config.toml --out again");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_json(path("again/fokker.json"))["columns"], Json({"c,d", "größe"}));
}

TEST_F(Cli, PathsThatAreNotUtf8AreRefusedOrDoNoHarm) {
  write_points(20);
  const std::string odd =
      "gr\xf6\xdf"
      "e";
  fs::create_directories(path(odd));
  fs::copy_file(path("points.csv"), path(odd + "/points.csv"));
  expect_refusal("train --data " + odd + "/points.csv --out run --steps 3", 2, "expected UTF-8 text");
  expect_refusal("train --data points.csv --out " + odd + "/run --steps 3", 2, "expected UTF-8 text");
  expect_refusal("inspect " + odd + "/points.csv", 2, "byte 3");
  // From within such a folder everything is found and written.
  const Outcome inside =
      run("train --data points.csv --out run --steps 3 --width 8 --batch 4", "env -C " + odd);
  EXPECT_EQ(inside.code, 0) << inside.err;
  EXPECT_TRUE(fs::exists(path(odd + "/run/fokker.json")));
  EXPECT_TRUE(fs::exists(path(odd + "/run/report.html")));
}

}  // namespace
}  // namespace fokker
