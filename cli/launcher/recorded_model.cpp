#include "cli/launcher/recorded_model.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "fokker/core/file/manifest.h"

namespace fokker::cli {
namespace {

namespace fs = std::filesystem;

/// As it stands in a file, for one catch: JSON's exceptions are as good as this one.
struct NotAsWritten : std::exception {};

void expect(bool holds) {
  if (!holds) throw NotAsWritten();
}

/// A file of the folder, which is as the manifest has it where there is one.
Json read(const fs::path& folder, const std::string& name) {
  const Verification found = verify_folder(folder, name);
  expect(found.damage.empty() && (!found.recorded || found.files.size() == 1));
  std::ifstream in(folder / name);
  expect(in.good());
  return Json::parse(in);
}

/// The header of a safetensors file: 8 bytes of its length, JSON of names, types, shapes and places, held
/// against the size of the file. The numbers themselves, which may be many, are not read.
void read_tensors(const fs::path& file, ModelDescription& model) {
  std::ifstream in(file, std::ios::binary);
  uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  expect(in.good() && length < (uint64_t{1} << 24));
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  expect(in.good());
  uint64_t end = 0;
  const Json header = Json::parse(text);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    expect(entry.at("dtype") == "F32");
    const auto shape = entry.at("shape").get<std::vector<int64_t>>();
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    const auto place = entry.at("data_offsets").get<std::array<uint64_t, 2>>();
    expect(count >= 0 && place[1] == place[0] + 4 * static_cast<uint64_t>(count));
    end = std::max(end, place[1]);
    model.parameters += count;
    model.tensors.emplace_back(name, shape);
  }
  expect(end == 4 * static_cast<uint64_t>(model.parameters) &&
         fs::file_size(file) == sizeof length + length + end);
}

ModelDescription read_model(const fs::path& folder) {
  const Json json = read(folder, "fokker.json");
  expect(json.at("format") == 1 && json.at("fokker_version") == FOKKER_VERSION);
  const auto part = json.at("network").get<std::string>();
  expect(part == "network" || part == "unet");
  ModelDescription model{.folder = folder.string(),
                         .event_shape = json.at("normalisation").at("event_shape"),
                         .prediction = json.at("prediction").at("name"),
                         .columns = json.at("columns"),
                         .labels = json.at("label_names"),
                         .condition = {},
                         .label_text = {},
                         .label_column = json.at("label_column"),
                         .process = json.at("process"),
                         .network = read(folder, part + "/config.json"),
                         .training = json.at("training"),
                         .tensors = {}};
  if (json.contains("condition")) model.condition = json.at("condition").at("columns");
  expect(model.labels.empty());  // how they are listed needs more than their names
  read_tensors(folder / part / "diffusion_pytorch_model.safetensors", model);
  expect(model.training.at("parameters") == model.parameters &&
         model.training.at("network") == model.network);
  return model;
}

}  // namespace

std::optional<ModelDescription> recorded_model(const fs::path& folder) try {
  static_cast<void>(Json(folder.string()).dump());  // names that are not UTF-8 are refused by the engine
  return read_model(folder);
} catch (const std::exception&) {
  return {};
}

}  // namespace fokker::cli
