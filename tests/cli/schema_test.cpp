// What the columns of a table hold: found, said, written and overruled.
#include "cli/inside.h"
#include "cli/matching.h"
#include "cli/output.h"
#include "cli/run/train_setup.h"
#include "fokker/data/array/npy.h"
#include "fokker/table/describe.h"

namespace fokker {
namespace {

using cli::TrainSettings;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class SchemaCommand : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    std::string text = "id,age,job,pay\n";
    for (int i = 0; i < 80; ++i)
      text += fmt::format("{},{},{},{}\n", i, 20 + i * 37 % 50, i % 7 ? i % 2 ? " cook" : " guard" : " ?",
                          0.1 + std::sqrt(i));
    write("people.csv", text);
  }
  static Dataset read(const TrainSettings& settings, const ModelData* known = nullptr) {
    return cli::read_data(settings, known);
  }
  static TrainSettings settings(const std::string& schema = "", const std::vector<std::string>& types = {}) {
    TrainSettings s;
    s.data = "people.csv";
    s.schema = schema;
    s.types = types;
    return s;
  }
  static std::string said(const TrainSettings& s) {
    ::testing::internal::CaptureStderr();
    read(s);
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(SchemaCommand, IsInferredAndSaid) {
  const Dataset data = read(settings());
  ASSERT_TRUE(data.schema);
  EXPECT_THAT(data.columns, ElementsAre("age", "job", "pay"));
  const std::string text = said(settings());
  EXPECT_THAT(text, HasSubstr("  age   integer      20 to 69\n"));
  EXPECT_THAT(text, HasSubstr("  job   categorical  2 levels (cook, guard); 15 % missing (?)\n"));
  EXPECT_THAT(text, HasSubstr("  id    dropped      an identifier: it counts the rows up from 0\n"));
}

TEST_F(SchemaCommand, IsOverruled) {
  const Dataset typed = read(settings("", {"id=integer", "age=real", "pay=drop"}));
  EXPECT_THAT(typed.columns, ElementsAre("id", "age", "job"));
  EXPECT_EQ(typed.schema->columns[1].kind, ColumnKind::real);
  write("s.json", R"({"job": {"kind": "ordinal", "levels": [" guard", " cook"]}, "age": "real"})");
  const Dataset given = read(settings("s.json", {"age=integer"}));
  EXPECT_THAT(given.schema->columns[1].levels, ElementsAre(" guard", " cook"));
  EXPECT_EQ(given.schema->columns[0].kind, ColumnKind::integer);
  write("s.json", R"({"columns": {"age": {"high": 60}}})");
  expect_error([&] { read(settings("s.json")); }, ErrorKind::input,
               "column 'age': expected at most 60 but found");
  save_schema("whole.json", *typed.schema);
  EXPECT_EQ(read(settings("whole.json")).schema->to_json(), typed.schema->to_json());
  expect_error([&] { read(settings("whole.json", {"age=real"})); }, ErrorKind::argument, "all columns");
  expect_error([&] { read(settings("", {"ages=real"})); }, ErrorKind::input,
               "no column 'ages': expected one of id, age, job, pay");
  for (const char* bad : {"age=number", "age", "=real", "age="})
    expect_error([&] { read(settings("", {bad})); }, ErrorKind::argument,
                 "type: expected COLUMN=KIND, of the kinds real, integer, categorical, ordinal");
  save_npy("a.npy", at::ones({3, 2}));
  TrainSettings array = settings("whole.json");
  array.data = "a.npy";
  expect_error([&] { read(array); }, ErrorKind::argument, "for CSV files, but a.npy is none");
}

TEST_F(SchemaCommand, OfAModelReadsItsFilesAgain) {
  const Dataset data = read(settings());
  const ModelData known{
      .columns = data.columns, .label_names = {}, .label_column = "", .training = {}, .schema = data.schema};
  write("other.csv", "pay,job,age\n1.5,cook,33\n2.5,?,44\n");
  const Dataset other = cli::load_columns("other.csv", cli::columns_of(known), {});
  EXPECT_EQ(other.schema, data.schema);
  EXPECT_EQ(other.values[0][0].item<double>(), 33);
  EXPECT_TRUE(other.values[1][1].isnan().item<bool>());
  // What training read is read the same for its report.
  EXPECT_TRUE(read(settings(), &known).values.nan_to_num(-1).equal(data.values.nan_to_num(-1)));
  // Samples are written as the file was, or as the numbers that stand for its cells.
  cli::write_samples("out.csv", other);
  EXPECT_EQ(read_file("out.csv"), "age,job,pay\n33, cook,1.5\n44, ?,2.5\n");
  cli::write_samples("out.npy", other);
  EXPECT_TRUE(cli::load_columns("out.npy", cli::columns_of(known), {})
                  .values.nan_to_num(-1)
                  .equal(other.values.nan_to_num(-1)));
  save_npy("bad.npy", at::full({1, 3}, 0.5, at::kDouble));
  expect_error([&] { cli::load_columns("bad.npy", cli::columns_of(known), {}); }, ErrorKind::input,
               "bad.npy: row 0 (from 0): column 'age': expected a whole number");
}

TEST_F(SchemaCommand, IsInTheRecordOfARun) {
  const Json record = cli::data_options(settings("s.json", {"age=real"}));
  EXPECT_EQ(record["types"], Json({"age=real"}));
  EXPECT_EQ(record["schema"], fs::absolute("s.json").string());
  const Json classical = cli::data_options(settings());
  EXPECT_FALSE(classical.contains("types"));
  EXPECT_FALSE(classical.contains("schema"));
}

}  // namespace
}  // namespace fokker
