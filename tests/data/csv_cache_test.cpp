#include "fokker/data/csv/csv_cache.h"

#include <gmock/gmock.h>

#include "fokker/core/file/manifest.h"
#include "fokker/core/random/rng.h"
#include "fokker/data/csv/table_csv.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class CsvCache : public FolderTest {
 protected:
  std::filesystem::path cache() const { return path("a.csv.fokker-cache"); }
  std::filesystem::file_time_type made() const {
    return std::filesystem::last_write_time(cache() / "cells.f64");
  }
  static LoadOptions stored(bool typed = false) { return {.typed = typed, .stream = Streaming::yes}; }
  void expect_same(const LoadOptions& options) const {
    LoadOptions in_memory = options;
    in_memory.stream = Streaming::no;
    const Dataset a = load_data(path("a.csv"), in_memory), b = load_data(path("a.csv"), options);
    ASSERT_TRUE(b.stored);
    const Tensor values = b.loaded().values;
    EXPECT_TRUE(values.nan_to_num(-77.0).equal(a.values.nan_to_num(-77.0)));
    EXPECT_EQ(b.columns, a.columns);
    EXPECT_EQ(b.label_names, a.label_names);
    EXPECT_EQ(b.label_column, a.label_column);
    EXPECT_EQ(b.labels.defined(), a.labels.defined());
    EXPECT_TRUE(!a.labels.defined() || b.labels.equal(a.labels));
    EXPECT_EQ(b.format, a.format);
    EXPECT_EQ(b.schema ? b.schema->to_json() : Json(), a.schema ? a.schema->to_json() : Json());
  }
  void write_numbers(int64_t rows) const {
    std::string text = "a,b,kind\n";
    const Tensor values = Rng(1).normal({rows, 2}, {}, at::kDouble);
    for (int64_t i = 0; i < rows; ++i)
      text += fmt::format("{},{},{}\n", values[i][0].item<double>(), values[i][1].item<double>(), i % 3);
    write("a.csv", text);
  }
};

TEST_F(CsvCache, HoldsWhatTheFileHolds) {
  write_numbers(300);
  LoadOptions options = stored();
  options.label_column = "kind";
  expect_same(options);
  options = stored();
  options.columns = {"b", "a"};
  expect_same(options);
  // An index without a name is left out, as in memory.
  write("a.csv",
        ",x,y\n0,1.5,2\n1,2.5,3\n2,3.5,5\n3,1,1\n4,2,2\n5,0,0\n6,1,1\n7,3,3\n8,4,4\n9,5,5\n10,6,7\n");
  expect_same(stored());
}

TEST_F(CsvCache, HoldsCellsOfEveryKind) {
  std::string text = "amount,town,day\n";
  for (int i = 0; i < 120; ++i)
    text += fmt::format("{},{},2024-01-{:02}\n", i % 7 == 0 ? "" : fmt::format("{}", i * 0.37),
                        i % 2 ? "Bonn" : "Köln", 1 + i % 28);
  write("a.csv", text);
  expect_same(stored(true));
}

TEST_F(CsvCache, IsMadeOnceAndAnewWhereTheFileOrTheReadingIsAnother) {
  write_numbers(50);
  load_data(path("a.csv"), stored());
  const auto first = made();
  load_data(path("a.csv"), stored());
  EXPECT_EQ(made(), first);
  LoadOptions other = stored();
  other.columns = {"a"};
  EXPECT_EQ(load_data(path("a.csv"), other).event_shape(), std::vector<int64_t>{1});
  EXPECT_NE(made(), first);
  write_numbers(60);
  EXPECT_EQ(load_data(path("a.csv"), stored()).size(), 60);
}

TEST_F(CsvCache, IsMadeAnewWhereItIsDamaged) {
  write_numbers(50);
  const Tensor values = load_data(path("a.csv"), stored()).loaded().values;
  for (const char* name : {"cells.f64", "cache.json", "manifest.json"}) {
    const std::string file = (std::filesystem::path("a.csv.fokker-cache") / name).string();
    std::string bytes = read(file);
    bytes[bytes.size() / 2] ^= 1;
    write(file, bytes);
    EXPECT_TRUE(load_data(path("a.csv"), stored()).loaded().values.equal(values)) << name;
    EXPECT_TRUE(verify_folder(cache()).damage.empty()) << name;
  }
}

TEST_F(CsvCache, NeverReplacesAFolderThatIsNone) {
  write_numbers(50);
  write("a.csv.fokker-cache/mine.txt", "mine");
  EXPECT_EQ(refusal_of([&] { load_data(path("a.csv"), stored()); }),
            cache().string() +
                ": it is there already and is no cache of rows: remove it, or name another folder (cache)");
  EXPECT_EQ(read("a.csv.fokker-cache/mine.txt"), "mine");
}

TEST_F(CsvCache, APlaceThatCannotBeWrittenIsOneLine) {
  write_numbers(50);
  write("file", "");
  LoadOptions options = stored();
  options.cache = path("file") / "inside";
  try {
    load_data(path("a.csv"), options);
    FAIL() << "expected a resource error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource);
    EXPECT_THAT(error.what(), HasSubstr("name another folder for the cache (cache)"));
  }
}

TEST_F(CsvCache, LongFilesAreToldByTheirFirstRows) {
  std::string text = "a,b\n";
  for (int i = 0; i < 12'000; ++i) text += fmt::format("{}.25,{}.5\n", i * 37 % 1000003, i);
  write("a.csv", text);
  LoadOptions options = stored(true);
  options.inferred_cells = 1;  // 10,000 rows all the same
  const Dataset data = load_data(path("a.csv"), options);
  EXPECT_EQ(data.size(), 12'000);
  EXPECT_THAT(data.notes, Contains("what its columns hold is told by its first 10000 rows"));
  EXPECT_TRUE(data.rows(at::tensor(std::vector<int64_t>{11'999}, at::TensorOptions(at::kLong)))
                  .equal(rows_of({{11'999 * 37 % 1000003 + 0.25, 11'999.5}})));
  write("a.csv", text + "here,1\n");
  EXPECT_THAT(refusal_of([&] { load_data(path("a.csv"), options); }),
              HasSubstr("line 12002: column 'a': expected a number but found 'here'"));
}

}  // namespace
}  // namespace fokker
