#include "fokker/format/exchange.h"

#include <array>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/text.h"
#include "fokker/format/diffusers/pipeline.h"
#include "fokker/format/graph/array_export.h"
#include "fokker/format/torch/torch_import.h"

namespace fokker {
namespace {

void check_heeded(const ImportFormat& format, const ImportOptions& o) {
  const std::array<std::pair<const char*, const std::string*>, 5> all = {
      {{"key", &o.key},
       {"mlp", &o.mlp},
       {"process", &o.process},
       {"predict", &o.predict},
       {"unconditional", &o.unconditional}}};
  for (const auto& [name, value] : all)
    check(value->empty() ||
              std::find(format.options.begin(), format.options.end(), name) != format.options.end(),
          "{}: {} says that itself; expected no --{}", name, format.summary, name);
}

}  // namespace

const std::vector<ImportFormat>& import_formats() {
  static const std::vector<ImportFormat> formats = {
      {"diffusers",
       "a folder of a diffusers pipeline, UNet2DModel or UNet2DConditionModel",
       {"unconditional"},
       is_diffusers_folder,
       load_pipeline},
      {"torch",
       "a file of weights (.pt .pth .ckpt .bin of PyTorch, or .safetensors)",
       {"key", "mlp", "process", "predict"},
       is_weights_file,
       import_weights}};
  return formats;
}

namespace {

std::vector<ExportFormat>& changeable_export_formats() {
  static std::vector<ExportFormat> formats = {
      {"diffusers", "a diffusers pipeline of an image model", save_pipeline},
      {"npz", "arrays and the operations of one call, for NumPy", export_arrays}};
  return formats;
}

}  // namespace

const std::vector<ExportFormat>& export_formats() {
  return changeable_export_formats();
}

void add_export_format(ExportFormat format) {
  for (const ExportFormat& known : export_formats())
    check(known.name != format.name, "add_export_format: '{}' is taken", format.name);
  changeable_export_formats().push_back(std::move(format));
}

std::vector<std::string> export_format_names() {
  std::vector<std::string> names;
  names.reserve(export_formats().size());
  for (const ExportFormat& format : export_formats()) names.push_back(format.name);
  return names;
}

Imported import_model(const std::filesystem::path& path, const ImportOptions& options) try {
  check_input(std::filesystem::exists(path), "{}: no such file or folder", path.string());
  std::vector<std::string> known;
  for (const ImportFormat& format : import_formats()) {
    if (format.recognises(path)) {
      check_heeded(format, options);
      return format.read(path, options);
    }
    known.push_back(format.summary);
  }
  fail(ErrorKind::input, "{}: not a model that can be imported: expected {}", path.string(), join(known));
} catch (...) {
  detail::throw_as_error();
}

void export_model(const std::filesystem::path& folder, const Model& model, const std::string& name) try {
  for (const ExportFormat& format : export_formats())
    if (format.name == name) {
      write_folder_atomically(
          folder, [&](const std::filesystem::path& temporary) { format.write(temporary, model); });
      return;
    }
  fail(ErrorKind::argument, "format: expected one of {} but received '{}'", join(export_format_names()),
       name);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
