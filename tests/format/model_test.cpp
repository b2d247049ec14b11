#include "fokker/format/model.h"

#include <atomic>
#include <thread>

#include "data/damage.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
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
    std::filesystem::remove(path("m/manifest.json"));  // as of one who edits it on purpose
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

// Damage of any file is named; what else is in the folder is the user's.
TEST_F(ModelFolder, NamesAFileThatIsNotWhatWasWritten) {
  save_model(path("m"), model(0, {}));
  write("m/notes.txt", "mine");
  const Tensor weights = load_model(path("m")).network->parameters()[0].tensor;
  for (const char* name : {"fokker.json", "network/config.json",
                           "network/diffusion_pytorch_model.safetensors", "manifest.json"}) {
    const std::string file = std::string("m/") + name, whole = read(file);
    std::string flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 4);
    for (const std::string& bad : {flipped, whole.substr(0, whole.size() - 1), whole + " "}) {
      write(file, bad);
      expect_error([&] { load_model(path("m")); }, ErrorKind::input, std::string(name) + ": is damaged");
    }
    write(file, whole);
  }
  std::filesystem::remove(path("m/network/config.json"));
  expect_error([&] { load_model(path("m")); }, ErrorKind::input, "network/config.json: is missing");
  save_model(path("m"), model(0, {}));
  EXPECT_TRUE(load_model(path("m")).network->parameters()[0].tensor.equal(weights));
  EXPECT_EQ(read("m/notes.txt"), "mine");
}

// Only parts of a model make room for another, whatever a manifest says.
TEST_F(ModelFolder, TakesNothingAwayThatIsNoPart) {
  save_model(path("m"), model(0, {}));
  write("m/notes/mine.txt", "mine");
  write("m/unet/config.json", "an image model's");
  write_manifest(path("m"), {"fokker.json", "notes/mine.txt", "unet/config.json"});
  save_model(path("m"), model(0, {}));
  EXPECT_EQ(read("m/notes/mine.txt"), "mine");
  EXPECT_FALSE(std::filesystem::exists(path("m/unet")));
  EXPECT_NO_THROW(load_model(path("m")));
}

// A reader that comes while a model is replaced sees one or the other whole.
TEST_F(ModelFolder, IsReadWholeWhileItIsReplaced) {
  const auto versions = {model(2, {"a", "b"}), model(3, {"x", "y", "z"})};
  save_model(path("m"), *versions.begin());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 4; ++i)
      for (const Model& version : versions) save_model(path("m"), version);
    done = true;
  });
  int reads = 0;
  for (; !done; ++reads) {
    const Model seen = load_model(path("m"));
    EXPECT_EQ(seen.network->classes(), std::ssize(seen.label_names));
  }
  writer.join();
  EXPECT_GT(reads, 0);
}

}  // namespace
}  // namespace fokker
