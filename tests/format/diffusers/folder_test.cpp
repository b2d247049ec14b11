// Folders that diffusers saved (make_folders.py), imported and handed back.
#include "folder.h"

#include <gmock/gmock.h>

#include "expect_error.h"
#include "fokker/core/file/files.h"
#include "fokker/format/diffusers/python_json.h"
#include "fokker/format/exchange.h"
#include "fokker/format/safetensors.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

fs::path saved_folder(const std::string& name) {
  return fs::path(FOKKER_SOURCE_DIR) / "tests/format/diffusers/fixtures" / ("folder-" + name);
}

class DiffusersFolder : public FolderTest {
 protected:
  /// A copy that may be changed.
  fs::path copy_of(const std::string& name) {
    fs::copy(saved_folder(name), path("copy"), fs::copy_options::recursive);
    return path("copy");
  }
  static void change(const fs::path& file, const std::string& key, const Json& value) {
    Json config = read_python_json(file);
    config[key] = value;
    write_file_atomically(file, config.dump());
  }
};

std::set<std::string> files_of(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), folder).string());
  return files;
}

// Weights byte for byte, also those of half the width and those in several files; configurations up to the
// order of keys, with all that is unknown here.
TEST_F(DiffusersFolder, IsHandedBackAsItCame) {
  for (const char* name : {"dpm", "half", "token", "classes", "shards"}) {
    const fs::path came = saved_folder(name), back = path(name);
    // As a run folder keeps it.
    save_model(path("run"), import_model(came).model);
    export_model(back, load_model(path("run")), "diffusers");
    EXPECT_EQ(files_of(back), files_of(came)) << name;
    for (const std::string& file : files_of(came)) {
      if (file.ends_with("config.json") || file == "model_index.json") {
        const auto sorted = [&](const fs::path& folder) {
          return nlohmann::json::parse(read_python_json(folder / file).dump());
        };
        EXPECT_EQ(sorted(back), sorted(came)) << name << ": " << file;
      } else {
        EXPECT_TRUE(read_file(back / file) == read_file(came / file)) << name << ": " << file;
      }
    }
    fs::remove_all(path("run"));
  }
}

// Names of attention that diffusers has given up are renamed, in the index too; the files stay.
TEST_F(DiffusersFolder, KeepsShardsOfRenamedTensors) {
  const fs::path folder = copy_of("classes") / "unet", back = path("back") / "unet";
  const std::string whole = "diffusion_pytorch_model.safetensors";
  Json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", Json::object()}};
  std::map<std::string, std::vector<NamedTensor>> shards;
  for (NamedTensor tensor : load_safetensors(folder / whole).tensors) {
    const std::string file = tensor.name.starts_with("down") ? "a.safetensors" : "b.safetensors";
    const size_t query = tensor.name.find("to_q");
    if (query != std::string::npos) tensor.name.replace(query, 4, "query");
    index["weight_map"][tensor.name] = file;
    shards[file].push_back(tensor);
  }
  for (const auto& [file, tensors] : shards) save_safetensors(folder / file, tensors);
  write_file_atomically(folder / (whole + ".index.json"), index.dump());
  fs::remove(folder / whole);
  export_model(path("back"), import_model(path("copy")).model, "diffusers");
  EXPECT_EQ(files_of(back),
            (std::set<std::string>{"a.safetensors", "b.safetensors", "config.json", whole + ".index.json"}));
  const Json written = read_json(back / (whole + ".index.json"));
  size_t renamed = 0, bytes = 0;
  for (const char* file : {"a.safetensors", "b.safetensors"})
    for (const NamedTensor& tensor : load_safetensors(back / file).tensors) {
      EXPECT_EQ(written["weight_map"][tensor.name], file) << tensor.name;
      renamed += tensor.name.find("to_q") != std::string::npos;
      bytes += tensor.tensor.nbytes();
    }
  EXPECT_GT(renamed, 0u);
  EXPECT_EQ(written["metadata"]["total_size"], bytes);
}

// A run's fokker.json may say anything: nothing is written elsewhere, and nothing left out.
TEST_F(DiffusersFolder, RefusesToWriteADamagedIndex) {
  const std::string index = "unet/diffusion_pytorch_model.safetensors.index.json";
  const Imported came = import_model(saved_folder("shards"));
  const auto refusal = [&](const std::function<void(Json&)>& damage) {
    Model model = came.model;
    damage(model.origin);
    return refusal_of([&] { export_model(path("back"), model, "diffusers"); }, ErrorKind::input);
  };
  const auto with_map = [&](const std::string& tensor, const Json& file) {
    return refusal([&](Json& origin) { origin[index]["weight_map"][tensor] = file; });
  };
  EXPECT_THAT(
      with_map("conv_in.bias", "../conv.safetensors"),
      HasSubstr("fokker.json: origin: " + index + ": weight_map: expected names of .safetensors files"));
  EXPECT_THAT(with_map("conv_in.bias", 3), HasSubstr("'conv_in.bias': expected the name of a file"));
  EXPECT_THAT(with_map("none.bias", "x.safetensors"), HasSubstr("the network has no tensor 'none.bias'"));
  EXPECT_THAT(refusal([&](Json& origin) { origin[index]["weight_map"].erase("conv_in.bias"); }),
              HasSubstr("weight_map: expected the file of the tensor 'conv_in.bias'"));
  EXPECT_THAT(refusal([&](Json& origin) { origin[index] = 1; }),
              HasSubstr("expected an object with a weight_map"));
  EXPECT_THAT(refusal([&](Json& origin) { origin["../elsewhere"] = 1; }),
              HasSubstr("origin: expected files of a pipeline but found '../elsewhere'"));
  EXPECT_FALSE(fs::exists(path("back")) || fs::exists(path("elsewhere")));
}

TEST_F(DiffusersFolder, TellsATokenByColumns) {
  const Imported token = import_model(saved_folder("token"));
  EXPECT_EQ(token.model.condition.columns,
            (std::vector<std::string>{"label0", "label1", "token0", "token1", "token2"}));
  EXPECT_EQ(token.model.sampling.grid.substr(0, 8), "shifted:");
  EXPECT_TRUE(token.model.label_names.empty());
}

TEST_F(DiffusersFolder, NamesTheClassThatStandsForNone) {
  const Imported every = import_model(saved_folder("classes"));
  EXPECT_EQ(every.model.label_names, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_FALSE(every.model.network->knows_no_label());
  ASSERT_FALSE(every.notes.empty());
  EXPECT_THAT(every.notes.back(), HasSubstr("all 4 rows of the table of classes are classes"));
  const Imported named = import_model(saved_folder("classes"), {.unconditional = "1"});
  EXPECT_EQ(named.model.label_names, (std::vector<std::string>{"0", "2", "3"}));
  EXPECT_TRUE(named.model.network->knows_no_label());
  save_model(path("run"), named.model);
  const Model again = load_model(path("run"));
  EXPECT_EQ(again.label_names, named.model.label_names);
  EXPECT_EQ(again.network->config(), named.model.network->config());
  // It is no part of what is handed back.
  export_model(path("back"), again, "diffusers");
  EXPECT_EQ(read_python_json(path("back") / "unet/config.json"),
            read_python_json(saved_folder("classes") / "unet/config.json"));
  for (const char* wrong : {"4", "-1", "cat"})
    EXPECT_THAT(refusal_of([&] { import_model(saved_folder("classes"), {.unconditional = wrong}); },
                           ErrorKind::argument),
                HasSubstr("unconditional"));
  EXPECT_THAT(
      refusal_of([&] { import_model(saved_folder("token"), {.unconditional = "1"}); }, ErrorKind::argument),
      HasSubstr("a table of at least two classes"));
}

TEST_F(DiffusersFolder, RefusesWhatIsNoPipelineOfImages) {
  const fs::path folder = copy_of("dpm");
  const auto refusal = [&] { return refusal_of([&] { import_model(folder); }, ErrorKind::input); };
  change(folder / "model_index.json", "vae", {"diffusers", "AutoencoderKL"});
  EXPECT_THAT(refusal(), HasSubstr("alone but it has \"vae\""));
  change(folder / "model_index.json", "vae", {nullptr, nullptr});
  change(folder / "unet/config.json", "_class_name", "UNet3DConditionModel");
  EXPECT_THAT(refusal(), HasSubstr("but found UNet3DConditionModel"));
}

}  // namespace
}  // namespace fokker
