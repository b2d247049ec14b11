#include <map>
#include <sstream>

#include "fokker/condition/operator/operators.h"
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/load.h"

namespace fokker {
namespace {

using OperatorPointer = std::shared_ptr<const LinearOperator>;
using OperatorRegistry = Registry<OperatorPointer, OperatorFrame>;

/// Pictures that are masks or matrices: grey, in [0, 1].
Tensor mask_values(const std::string& file) {
  if (!has_image_extension(file)) return load_npy(file);
  const Tensor image = load_data(file, {.channels = 1}).values[0];
  return (image.scalar_type() == at::kByte ? image.to(at::kDouble) / 255 : image.to(at::kDouble) / 2 + 0.5)
      .gt(0.5);
}

/// A mask of the event's shape; of images one channel stands for all.
Tensor mask_of_file(const std::string& file, const std::vector<int64_t>& event) {
  Tensor values = mask_values(file);
  if (event.size() == 3 && values.dim() == 2) values = values.unsqueeze(0);
  const bool one_channel = event.size() == 3 && values.dim() == 3 && values.size(0) == 1;
  if (one_channel && values.sizes().slice(1).equals(IntArrayRef(event).slice(1)))
    values = values.expand(event);
  check_input(values.sizes() == IntArrayRef(event), "{}: expected a mask of shape {} but it has {}", file,
              shape_string(event), shape_string(values));
  const Tensor number = values.to(at::kDouble);
  check_input((number.eq(0) | number.eq(1)).all().item<bool>(),
              "{}: expected a mask of 0 (hidden) and 1 (seen)", file);
  check_input(number.eq(1).any().item<bool>(), "{}: expected a mask that shows something", file);
  return number.eq(1).contiguous();
}

Tensor mask_of_columns(const std::string& names, const OperatorFrame& frame) {
  check(!frame.columns.empty(), "operator mask: expected a file, as images have no columns");
  const Tensor seen = at::zeros(frame.event, at::kBool);
  std::istringstream all(names);
  for (std::string name; std::getline(all, name, '+');) {
    const auto found = std::find(frame.columns.begin(), frame.columns.end(), name);
    check(found != frame.columns.end(), "operator mask: expected columns among {} but received '{}'",
          join(frame.columns), shown(name));
    seen[found - frame.columns.begin()] = true;
  }
  return seen;
}

OperatorPointer make_mask(Spec& spec, const OperatorFrame& frame) {
  const std::string file = spec.text("file", ""), columns = spec.text("columns", "");
  if (file.empty() && columns.empty()) return nullptr;
  check(file.empty() || columns.empty(), "operator mask: expected either a file or columns");
  return std::make_shared<MaskOperator>(file.empty() ? mask_of_columns(columns, frame)
                                                     : mask_of_file(file, frame.event));
}

OperatorPointer make_crop(Spec& spec, const OperatorFrame& frame) {
  const int64_t top = spec.integer("top", 0, 0), left = spec.integer("left", 0, 0),
                height = spec.integer("height", 0, 0), width = spec.integer("width", 0, 0);
  if (height == 0 && width == 0) return nullptr;
  const std::vector<int64_t>& event = frame.event;
  check(event.size() == 3,
        "operator crop: expected images (channels, height, width) but events have shape {}",
        shape_string(event));
  check(height > 0 && width > 0 && top + height <= event[1] && left + width <= event[2],
        "operator crop: expected a window within {} x {} pixels but received top={}, left={}, height={}, "
        "width={}",
        event[1], event[2], top, left, height, width);
  Tensor seen = at::zeros(event, at::kBool);
  seen.slice(1, top, top + height).slice(2, left, left + width).fill_(true);
  return std::make_shared<MaskOperator>(seen);
}

OperatorPointer make_matrix(Spec& spec, const OperatorFrame& frame) {
  const std::string file = spec.text("file", "");
  if (file.empty()) return nullptr;
  const Tensor matrix = load_npy(file);
  const int64_t d = event_size([&] {
    std::vector<int64_t> one{1};
    one.insert(one.end(), frame.event.begin(), frame.event.end());
    return one;
  }());
  check_input(matrix.dim() == 2 && matrix.size(0) > 0 && matrix.size(1) == d,
              "{}: expected a matrix of {} columns, as events have shape {}, but it has {}", file, d,
              shape_string(frame.event), shape_string(matrix));
  check_input(matrix.isfinite().all().item<bool>(), "{}: expected finite numbers", file);
  return std::make_shared<MatrixOperator>(matrix, frame.event);
}

OperatorPointer make_downsample(Spec& spec, const OperatorFrame& frame) {
  const int64_t factor = spec.integer("factor", -1, 0);
  return factor < 0 ? nullptr : std::make_shared<DownsampleOperator>(frame.event, factor);
}

OperatorPointer make_blur(Spec& spec, const OperatorFrame& frame) {
  const double sigma = spec.number("sigma", -1);
  return sigma == -1 ? nullptr : std::make_shared<BlurOperator>(frame.event, sigma);
}

OperatorRegistry& operator_registry() {
  static OperatorRegistry registry(
      "operator", {{"mask", "what is seen of an event: mask:FILE (1 is seen) or mask:columns=a+b", make_mask},
                   {"crop", "a window of an image is seen", make_crop},
                   {"matrix", "A x with a matrix (m, d): matrix:FILE.npy", make_matrix},
                   {"downsample", "means over patches: downsample:K", make_downsample},
                   {"blur", "Gaussian blur with reflected borders: blur:SIGMA", make_blur}});
  return registry;
}

/// "mask:FILE" is mask:file=FILE: what a value without a key stands for.
std::string with_key(const std::string& spec) {
  static const std::map<std::string, std::string> usual{
      {"mask", "file"}, {"matrix", "file"}, {"downsample", "factor"}, {"blur", "sigma"}};
  const auto colon = spec.find(':');
  if (colon == std::string::npos || spec.find('=', colon) != std::string::npos) return spec;
  const auto found = usual.find(spec.substr(0, colon));
  if (found == usual.end())
    return operator_registry().contains(spec.substr(0, colon)) ? spec : spec.substr(0, colon);
  return fmt::format("{}:{}={}", found->first, found->second, spec.substr(colon + 1));
}

}  // namespace

std::shared_ptr<const LinearOperator> make_operator(const std::string& spec, const OperatorFrame& frame) try {
  const GradientMode off(false);
  OperatorPointer made = operator_registry().make(with_key(spec), frame);
  check(made != nullptr,
        "operator '{}': expected what it is made of, as mask:FILE, mask:columns=A+B, matrix:FILE.npy, "
        "downsample:K, blur:SIGMA or crop:height=H,width=W",
        spec);
  check(made->input_shape() == frame.event, "operator {}: expected events of shape {} but it takes {}", spec,
        shape_string(frame.event), shape_string(made->input_shape()));
  return made;
} catch (...) {
  detail::throw_as_error();
}

std::vector<std::string> operator_names() {
  return operator_registry().names();
}
std::vector<Description> operator_descriptions() {
  return operator_registry().descriptions({.event = {1}});
}

void register_operator(const std::string& name,
                       std::function<std::shared_ptr<const LinearOperator>(Spec&, const OperatorFrame&)> make,
                       const std::string& summary) {
  operator_registry().add({name, summary, std::move(make)});
}

}  // namespace fokker
