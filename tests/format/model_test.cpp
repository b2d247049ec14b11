#include "fokker/format/model.h"

#include "data/damage.h"
#include "fokker/core/file/files.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;

class ModelFolder : public FolderTest {
 protected:
  /// A model of two columns and that many classes.
  Model model(int64_t classes, std::vector<std::string> names) const {
    return {.network = std::make_shared<Mlp>(
                MlpOptions{.dimension = 2, .width = 8, .depth = 1, .embedding_size = 4, .classes = classes}),
            .spec = {.process = make_schedule("vp")},
            .normalisation = Normalisation::identity({2}),
            .columns = {"a", "b"},
            .label_names = std::move(names),
            .label_column = "kind"};
  }
  /// Saves it with `change` made to fokker.json, and reads it again.
  template <typename Change>
  Model reread(const Model& saved, Change change) const {
    save_model(path("m"), saved);
    Json json = read_json(path("m/fokker.json"));
    change(json);
    write("m/fokker.json", json.dump());
    return load_model(path("m"));
  }
};

TEST_F(ModelFolder, KeepsWhatTheDataCalledItsLabels) {
  const Model back = reread(model(3, {"-1", "2", "2e9"}), [](Json&) {});
  EXPECT_THAT(back.label_names, ElementsAre("-1", "2", "2e9"));
  EXPECT_EQ(back.label_column, "kind");
  EXPECT_EQ(back.network->classes(), 3);
  EXPECT_TRUE(reread(model(0, {}), [](Json&) {}).label_names.empty());
}

TEST_F(ModelFolder, KeepsTheFormatOfTheFile) {
  Model saved = model(0, {});
  EXPECT_EQ(reread(saved, [](Json& json) { EXPECT_FALSE(json.contains("file_format")); }).format,
            CsvFormat());
  saved.format = {.separator = ';', .header = false, .decimal = ',', .encoding = TextEncoding::latin1};
  EXPECT_EQ(reread(saved, [](Json&) {}).format, saved.format);
  EXPECT_EQ(load_model_data(path("m")).format, saved.format);
  expect_error([&] { reread(saved, [](Json& json) { json["file_format"]["decimal"] = "x"; }); },
               ErrorKind::input, "fokker.json: file_format: decimal: expected . or ,");
}

// Before names were kept of numbers, label k was class k; named classes could be more than the network's.
TEST_F(ModelFolder, OpensWhatWasSavedBefore) {
  const auto age = [](Json& json) {
    json.erase("label_column");
    json["training"]["data_options"] = {{"label_column", "y"}};
  };
  const Model numbers = reread(model(3, {}), age);
  EXPECT_THAT(numbers.label_names, ElementsAre("0", "1", "2"));
  EXPECT_EQ(numbers.label_column, "y");
  EXPECT_THAT(reread(model(2, {"ant", "bee", "cat"}), age).label_names, ElementsAre("ant", "bee"));
  expect_error([&] { reread(model(3, {"ant"}), age); }, ErrorKind::input,
               "label_names: expected a name for each of 3 classes but found 1");
}

}  // namespace
}  // namespace fokker
