#include "cli/model_report.h"
#include "cli/option/data_options.h"
#include "cli/option/kind_options.h"
#include "cli/run/run_check.h"
#include "fokker/core/check.h"
#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/labels.h"
#include "fokker/format/model.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"
#include "fokker/image/png_text.h"
#include "fokker/table/cells.h"
#include "fokker/table/describe.h"

namespace fokker::cli {
namespace {

struct InspectOptions {
  CommonOptions common;
  DataOptions reading;
  KindOptions kinds;
  std::string path;
  bool check = false;
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

Report report_of_tensors(const std::string& path, const char* kind, const std::vector<TensorEntry>& entries) {
  Json tensors = Json::array();
  std::string text = fmt::format("{}: {} tensors\n", path, entries.size());
  for (const auto& [name, shape, type] : entries) {
    tensors.push_back({{"name", name}, {"shape", shape}, {"type", at::toString(type)}});
    text += fmt::format("  {:<48} {} {}\n", shown(name), shape_string(shape), at::toString(type));
  }
  return {{{"kind", kind}, {"tensors", tensors}}, text};
}

Report inspect_safetensors(const std::string& path) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : load_safetensors(path).tensors)
    entries.push_back({name, tensor.sizes().vec(), tensor.scalar_type()});
  return report_of_tensors(path, "safetensors", entries);
}

/// A file that holds tensors and says nothing of what they are for.
bool is_tensor_file(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".safetensors" || extension == ".pt" || extension == ".pth" || extension == ".ckpt";
}

Json number_figures(const Tensor& numbers) {
  return {{"mean", numbers.mean().item<double>()},
          {"standard_deviation", numbers.std(/*unbiased=*/false).item<double>()},
          {"minimum", numbers.min().item<double>()},
          {"maximum", numbers.max().item<double>()}};
}

/// Of the cells that are not missing, where all of them are numbers.
Json figures_of(const Column& column, const Tensor& cells) {
  const Tensor known = cells.index_select(0, cells.isnan().logical_not().nonzero().squeeze(1));
  const auto numbers = known.size(0) > 0 ? numbers_of_cells(column, known) : std::nullopt;
  return numbers ? number_figures(*numbers) : Json::object();
}

/// Columns of any kinds.
void add_typed_columns(const Dataset& data, Json& json, std::string& text) {
  json["columns"] = Json::array();
  for (int64_t c = 0; c < data.schema->size(); ++c) {
    const Column& column = data.schema->columns[static_cast<size_t>(c)];
    Json each = {{"name", column.name}, {"kind", to_string(column.kind)}};
    if (column.has_levels()) each["levels"] = std::ssize(column.levels);
    each.update(figures_of(column, data.values.select(1, c)));
    if (!column.missing.empty()) each["missing_share"] = column.missing_share;
    json["columns"].push_back(std::move(each));
  }
  json["schema"] = data.schema->to_json();
  for (const std::string& line : schema_lines(*data.schema)) text += "  " + line + "\n";
}

/// Columns of plain numbers.
void add_columns(const Dataset& data, Json& json, std::string& text) {
  json["columns"] = Json::array();
  for (int64_t c = 0; c < data.values.size(1); ++c) {
    Json each = {{"name", data.columns[static_cast<size_t>(c)]}};
    each.update(number_figures(data.values.select(1, c).to(at::kDouble)));
    text += fmt::format("  {:<24} mean {:<12.6g} deviation {:<12.6g} from {:.6g} to {:.6g}\n",
                        data.columns[static_cast<size_t>(c)], each["mean"].get<double>(),
                        each["standard_deviation"].get<double>(), each["minimum"].get<double>(),
                        each["maximum"].get<double>());
    json["columns"].push_back(std::move(each));
  }
}

/// What is written in a PNG file beside its pixels, such as the command that made it.
void add_picture_texts(const std::string& path, Json& json, std::string& text) {
  json["texts"] = Json::object();
  for (const auto& [keyword, value] : read_png_texts(read_file(path), path)) {
    json["texts"][keyword] = value;
    text += fmt::format("  {:<10} {}\n", keyword, value);
  }
}

Report inspect_data(const InspectOptions& o) {
  LoadOptions reading = o.reading.load_options();
  const bool table = table_columns(o.path, reading).has_value();
  check(table || !o.kinds.any_kinds(), "schema: a schema and types are for CSV files, but {} is none",
        o.path);
  if (table) choose_kinds(o.kinds, reading);
  const Dataset data = load_data(o.path, reading);
  Json json = {{"kind", "data"},
               {"rows", data.size()},
               {"event_shape", data.event_shape()},
               {"type", at::toString(data.values.scalar_type())},
               {"notes", data.notes}};
  std::string text = fmt::format("{}: {} rows of shape {} ({})\n", o.path, data.size(),
                                 shape_string(data.event_shape()), at::toString(data.values.scalar_type()));
  std::string notes;
  for (const std::string& note : data.notes) notes += note + "\n";
  for (const std::string& doubt : data.doubts) warn_once(fmt::format("{}: {}", o.path, doubt));
  if (data.labels.defined()) {
    json["labels"] = std::ssize(data.label_names);
    json["label_names"] = data.label_names;
    text += fmt::format("labels {}\n", list_labels(data.label_names));
  }
  if (data.schema)
    add_typed_columns(data, json, text);
  else if (!data.is_images())
    add_columns(data, json, text);
  if (std::filesystem::path(o.path).extension() == ".png") add_picture_texts(o.path, json, text);
  return {json, text + notes};
}

Report inspect_path(const InspectOptions& o) {
  const std::filesystem::path file(o.path);
  if (std::filesystem::is_directory(file) && std::filesystem::exists(file / "fokker.json"))
    return inspect_model(file);
  if (file.extension() == ".safetensors") return inspect_safetensors(o.path);
  if (is_tensor_file(file)) return report_of_tensors(o.path, "torch", TorchFile(file).list());
  return inspect_data(o);
}

/// Input error, after what was found has been printed, where a file is damaged.
int check_path(const InspectOptions& o) {
  const RunCheck found = check_run(o.path);
  print_result(o.common, found.report.json, found.report.text);
  if (!found.damage.empty())
    fail(ErrorKind::input, "{}{}", found.damage.front(),
         found.damage.size() > 1 ? fmt::format(" (and {} more)", found.damage.size() - 1) : "");
  return 0;
}

}  // namespace

void add_inspect(CommandLine& line) {
  add_command<InspectOptions>(
      line,
      {"inspect", "Describe a trained model, a data file or a file of tensors",
       "fokker inspect run\n  fokker inspect run --check"},
      [](Command& c, InspectOptions& o) {
        c.option("path", o.path, "Run folder or file", Command::Need::required);
        c.flag("--check", o.check,
               "Read every byte of a run, its model and its checkpoints, and compare with what was written",
               Command::Saved::no);
        describe_kinds(c, o.kinds);
        describe_data(c, o.reading);
      },
      [](const InspectOptions& o, const Command& command) {
        if (o.check || std::filesystem::exists(std::filesystem::path(o.path) / "fokker.json") ||
            is_tensor_file(o.path))
          for (const auto& names : {data_option_names(), kind_option_names()})
            command.refuse(names, "expected a file of data, which is read so");
        if (o.check) return check_path(o);
        const Report report = inspect_path(o);
        print_result(o.common, report.json, report.text);
        return 0;
      });
}

}  // namespace fokker::cli
