#include "cli/model_report.h"
#include "cli/option/data_options.h"
#include "fokker/core/error.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/labels.h"
#include "fokker/format/model.h"
#include "fokker/format/safetensors.h"

namespace fokker::cli {
namespace {

struct InspectOptions {
  CommonOptions common;
  DataOptions reading;
  std::string path;
};

Report inspect_model(const std::filesystem::path& folder) {
  const Model model = load_model(folder);
  ModelDescription description{.folder = folder.string(),
                               .event_shape = model.event_shape(),
                               .parameters = model.network->parameter_count(),
                               .prediction = model.spec.name(),
                               .columns = model.columns,
                               .labels = model.label_names,
                               .condition = model.condition.columns,
                               .label_text = list_labels(model.label_names),
                               .label_column = model.label_column,
                               .process = model.spec.process.schedule()->config(),
                               .network = model.network->config(),
                               .training = model.training.to_json(),
                               .tensors = {}};
  for (const auto& [name, tensor] : model.network->parameters())
    description.tensors.emplace_back(name, tensor.sizes().vec());
  return report_of(std::move(description));
}

Report inspect_safetensors(const std::string& path) {
  const auto file = load_safetensors(path);
  Json tensors = Json::array();
  std::string text = fmt::format("{}: {} tensors\n", path, file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    tensors.push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"type", at::toString(tensor.scalar_type())}});
    text += fmt::format("  {:<48} {} {}\n", name, shape_string(tensor), at::toString(tensor.scalar_type()));
  }
  return {{{"kind", "safetensors"}, {"tensors", tensors}}, text};
}

Report inspect_data(const std::string& path, const LoadOptions& reading) {
  const Dataset data = load_data(path, reading);
  const Tensor rows = data.values.flatten(1);
  Json json = {{"kind", "data"},
               {"rows", data.size()},
               {"event_shape", data.event_shape()},
               {"type", at::toString(data.values.scalar_type())},
               {"notes", data.notes}};
  std::string text = fmt::format("{}: {} rows of shape {} ({})\n", path, data.size(),
                                 shape_string(data.event_shape()), at::toString(data.values.scalar_type()));
  std::string notes;
  for (const std::string& note : data.notes) notes += note + "\n";
  for (const std::string& doubt : data.doubts) warn_once(fmt::format("{}: {}", path, doubt));
  if (data.labels.defined()) {
    json["labels"] = std::ssize(data.label_names);
    json["label_names"] = data.label_names;
    text += fmt::format("labels {}\n", list_labels(data.label_names));
  }
  if (data.is_images()) return {json, text + notes};
  Json columns = Json::array();
  for (int64_t c = 0; c < rows.size(1); ++c) {
    const Tensor column = rows.select(1, c).to(at::kDouble);
    const double mean = column.mean().item<double>(),
                 deviation = column.std(/*unbiased=*/false).item<double>();
    const double low = column.min().item<double>(), high = column.max().item<double>();
    columns.push_back({{"name", data.columns[static_cast<size_t>(c)]},
                       {"mean", mean},
                       {"standard_deviation", deviation},
                       {"minimum", low},
                       {"maximum", high}});
    text += fmt::format("  {:<24} mean {:<12.6g} deviation {:<12.6g} from {:.6g} to {:.6g}\n",
                        data.columns[static_cast<size_t>(c)], mean, deviation, low, high);
  }
  json["columns"] = columns;
  return {json, text + notes};
}

Report inspect_path(const std::string& path, const LoadOptions& reading) {
  const std::filesystem::path file(path);
  if (std::filesystem::is_directory(file) && std::filesystem::exists(file / "fokker.json"))
    return inspect_model(file);
  if (file.extension() == ".safetensors") return inspect_safetensors(path);
  return inspect_data(path, reading);
}

}  // namespace

void add_inspect(CommandLine& line) {
  add_command<InspectOptions>(
      line, {"inspect", "Describe a trained model, a data file or a safetensors file", "fokker inspect run"},
      [](Command& c, InspectOptions& o) {
        c.option("path", o.path, "Run folder or file", Command::Need::required);
        describe_data(c, o.reading);
      },
      [](const InspectOptions& o, const Command& command) {
        if (std::filesystem::exists(std::filesystem::path(o.path) / "fokker.json") ||
            o.path.ends_with(".safetensors"))
          command.refuse(data_option_names(), "expected a file of data, which is read so");
        const Report report = inspect_path(o.path, o.reading.load_options());
        print_result(o.common, report.json, report.text);
        return 0;
      });
}

}  // namespace fokker::cli
