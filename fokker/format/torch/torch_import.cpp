#include "fokker/format/torch/torch_import.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/columns.h"
#include "fokker/data/dataset.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

using Input = MlpDescription::Input;

bool is_safetensors_file(const fs::path& path) {
  return path.extension() == ".safetensors";
}

/// Numbers within names count as such: layers.2 before layers.10.
bool comes_before(std::string_view a, std::string_view b) {
  const auto digits = [](std::string_view text) {
    return std::min(text.find_first_not_of("0123456789"), text.size());
  };
  while (!a.empty() && !b.empty()) {
    const size_t m = digits(a), n = digits(b);
    if (m > 0 && n > 0) {
      if (m != n) return m < n;
      if (const int order = a.substr(0, m).compare(b.substr(0, n)); order != 0) return order < 0;
      a.remove_prefix(m), b.remove_prefix(n);
      continue;
    }
    if (a[0] != b[0]) return a[0] < b[0];
    a.remove_prefix(1), b.remove_prefix(1);
  }
  return a.size() < b.size();
}

/// In the order of the layers: that of a state dict; of a safetensors file, which has none of its own, that
/// of the names, a layer's weight before its bias.
std::vector<NamedTensor> weights_of(const fs::path& path, const std::string& key) {
  if (!is_safetensors_file(path)) return load_torch(path, key);
  check(key.empty(), "key: {} has no keys: it is a safetensors file", path.string());
  std::vector<NamedTensor> tensors = load_safetensors(path).tensors;
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const auto split = [](const std::string& name) {
      const size_t dot = name.rfind('.');
      return dot == std::string::npos ? std::pair(std::string(), name)
                                      : std::pair(name.substr(0, dot), name.substr(dot + 1));
    };
    const auto [layer_a, part_a] = split(a.name);
    const auto [layer_b, part_b] = split(b.name);
    if (layer_a != layer_b) return comes_before(layer_a, layer_b);
    return part_a == "weight" ? part_b != "weight" : part_b != "weight" && part_a < part_b;
  });
  return tensors;
}

void check_given(const fs::path& path, const ImportOptions& o, const std::vector<NamedTensor>& tensors) {
  if (o.mlp.empty()) refuse_foreign_blocks(tensors, path.string());
  check(!o.mlp.empty(),
        "mlp: {} has weights but does not say of what network; expected --mlp \"2-256-256-1,elu,input=x+t\" "
        "for a "
        "fully connected one (a U-Net is imported from the folder that diffusers saves)",
        path.string());
  check(!o.process.empty(), "process: expected the --process that {} was trained on", path.string());
  check(!o.predict.empty(), "predict: expected what {} predicts: --predict {}", path.string(),
        join(Prediction::names()));
}

/// Columns of the first layer in the order of ours: the sample, then the time.
Tensor first_columns(const Tensor& weight, Input input) {
  if (input == Input::x) return at::constant_pad_nd(weight, {0, 1});
  if (input == Input::time_x) return weight.roll({-1}, {1});
  return weight;
}

}  // namespace

bool is_weights_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return fs::is_regular_file(path) && (extension == ".pt" || extension == ".pth" || extension == ".ckpt" ||
                                       extension == ".bin" || extension == ".safetensors");
}

std::vector<NamedTensor> fit_layers(const std::vector<NamedTensor>& tensors, const MlpDescription& d,
                                    const std::string& file) {
  std::vector<NamedTensor> fitted;
  fitted.reserve(2 * d.layers());
  const auto take = [&](size_t layer, const char* part, const std::vector<int64_t>& shape) {
    const size_t next = fitted.size();
    check_input(next < tensors.size(),
                "{}: expected the {} of layer {}, of shape {}, but its {} tensors end before", file, part,
                layer, shape_string(shape), tensors.size());
    const NamedTensor& found = tensors[next];
    const bool named = found.name.ends_with(part) || found.name.find('.') == std::string::npos;
    check_input(named && found.tensor.sizes().equals(shape) && found.tensor.is_floating_point(),
                "{}: expected the {} of layer {}, of shape {}, but next is '{}', {} {}", file, part, layer,
                shape_string(shape), shown(found.name), shape_string(found.tensor),
                at::toString(found.tensor.scalar_type()));
    Tensor value = found.tensor.to(at::kFloat).contiguous();
    if (layer == 0 && shape.size() == 2) value = first_columns(value, d.input);
    fitted.push_back({fmt::format("{}.{}", 2 * layer, part), value.clone()});
  };
  for (size_t i = 0; i < d.layers(); ++i) {
    take(i, "weight", d.weight_shape(i));
    take(i, "bias", {d.sizes[i + 1]});
  }
  check_input(fitted.size() == tensors.size(), "{}: '{}' belongs to no layer of the {} described", file,
              shown(tensors[std::min(fitted.size(), tensors.size() - 1)].name), d.layers());
  return fitted;
}

Imported import_weights(const fs::path& path, const ImportOptions& o) {
  const std::vector<NamedTensor> tensors = weights_of(path, o.key);
  check_given(path, o, tensors);
  const MlpDescription description = MlpDescription::parse(o.mlp);
  std::string note;
  const DenoiserSpec spec = description.spec(make_schedule(o.process), o.predict, note);
  const std::vector<NamedTensor> layers = fit_layers(tensors, description, path.string());
  const auto network = std::make_shared<Mlp>(description.options());
  network->load(layers);
  network->set_requires_grad(false);
  Imported imported{.model = {.network = network,
                              .spec = spec,
                              .normalisation = Normalisation::identity({description.dimension()}),
                              .columns = default_column_names(description.dimension()),
                              .label_names = {}}};
  TrainingRecord& training = imported.model.training;
  training.process = schedule_config(spec.process.schedule());
  training.prediction = spec.name();
  training.network = network->config();
  training.parameters = network->parameter_count();
  training.more["imported"] = fs::weakly_canonical(path).string();
  if (!note.empty()) imported.notes.push_back(note);
  const bool wide = std::any_of(tensors.begin(), tensors.end(), [](const NamedTensor& tensor) {
    return tensor.tensor.scalar_type() == at::kDouble;
  });
  if (wide) imported.notes.emplace_back("its weights are rounded from float64 to float32");
  return imported;
}

}  // namespace fokker
