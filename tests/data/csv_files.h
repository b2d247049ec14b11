#pragma once
#include <zlib.h>

#include "data/damage.h"
#include "fokker/data/csv/csv.h"

namespace fokker {
/// Files of delimited text, read and refused.
class CsvDecisions : public FolderTest {
 protected:
  Dataset load(std::string_view text, const CsvOptions& options = {}) {
    return load_csv(write("d.csv", text), options);
  }
  std::string refusal(std::string_view text, const CsvOptions& options = {}) {
    return error_of([&] { load(text, options); });
  }
  std::filesystem::path compressed(const std::string& name, const std::string& text) const {
    const gzFile file = gzopen(path(name).c_str(), "wb1");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return path(name);
  }
  /// The same rows plain and compressed.
  void expect(const std::string& text, const std::vector<std::string>& columns, const Tensor& values) {
    for (const auto& file : {write("d.csv", text), compressed("d.csv.gz", text)}) {
      const Dataset data = load_csv(file);
      EXPECT_EQ(data.columns, columns) << text;
      EXPECT_TRUE(data.values.equal(values)) << text << "\n" << data.values;
    }
  }
};

inline Tensor rows_of(std::vector<double> values, int64_t columns) {
  return at::tensor(values, at::kDouble).reshape({-1, columns});
}

}  // namespace fokker
