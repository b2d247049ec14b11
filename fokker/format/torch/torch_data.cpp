#include "fokker/format/torch/torch_data.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/tensor_files.h"

namespace fokker {
namespace {

using TensorsByName = std::map<std::string, Tensor>;
using Places = std::vector<int32_t>;

/// Reads data sets in the forms that are usual in Python.
class DataReader {
 public:
  explicit DataReader(const TorchContent& file) : file_(file), storages_(file) {}

  TensorsByName read(const std::string& key) {
    const PickleValue &top = file_.at(file_.resolve("")), &chosen = file_.at(file_.resolve(key));
    const bool beside = !key.empty() && file_.is_tensor(chosen) && is_member(top, key);
    const PickleValue& value = beside ? top : chosen;
    TensorsByName found = read_value(value);
    if (found.empty()) file_.refuse_without_tensors(key);
    return found;
  }

 private:
  TensorsByName read_value(const PickleValue& value) {
    if (file_.is_tensor(value)) return {{"", storages_.read(value, "")}};
    if (value.kind == PickleKind::list && is_list_of_pairs(value.items)) return read_pairs(value.items);
    if (value.kind == PickleKind::list && are_rows(value.items)) return {{"", stacked(value.items, "row")}};
    check_input(!is_list_of_dicts(value),
                "{}: a list of dicts: save one dict of tensors, {{\"x\": torch.stack(...), \"labels\": ...}}",
                file_.name_of_file());
    TensorsByName found = TorchContent::is_container(value) ? read_members(value) : TensorsByName();
    if (value.kind == PickleKind::dict) return found;
    if (found.size() == 1 && value.items.size() == 1) return {{"", found.begin()->second}};
    if (found.size() == 2 && value.items.size() == 2) return {{"x", found["0"]}, {"labels", found["1"]}};
    return found;
  }

  bool is_list_of_dicts(const PickleValue& value) const {
    return value.kind == PickleKind::list && !value.items.empty() &&
           std::all_of(value.items.begin(), value.items.end(),
                       [&](int32_t place) { return file_.at(place).kind == PickleKind::dict; });
  }

  bool is_member(const PickleValue& top, const std::string& key) const {
    if (top.kind != PickleKind::dict) return false;
    const auto members = file_.members(top);
    return std::any_of(members.begin(), members.end(), [&](const auto& each) { return each.first == key; });
  }

  static bool is_number(const PickleValue& value) {
    return value.kind == PickleKind::integer || value.kind == PickleKind::boolean ||
           value.kind == PickleKind::number;
  }

  /// Tensors, and beside them labels that are a list of numbers. None where there is no tensor.
  TensorsByName read_members(const PickleValue& value) {
    TensorsByName found;
    bool tensors = false;
    for (const auto& [name, place] : file_.members(value)) {
      const PickleValue& member = file_.at(place);
      const bool labels =
          value.kind == PickleKind::dict ? names_labels(name) : name == "1" && value.items.size() == 2;
      if (file_.is_tensor(member))
        found[name] = storages_.read(member, name), tensors = true;
      else if (labels && member.kind == PickleKind::list && !member.items.empty())
        found[name] = numbers(member.items, name);
      check_input(found.size() <= most_torch_tensors, "{}: more than {} tensors", file_.name_of_file(),
                  most_torch_tensors);
    }
    return tensors ? found : TensorsByName();
  }

  /// (n) int64, or float64 where one is no whole number.
  Tensor numbers(const Places& places, const std::string& name) const {
    const bool whole = std::none_of(places.begin(), places.end(), [&](int32_t place) {
      return file_.at(place).kind == PickleKind::number;
    });
    const Tensor values = at::empty({std::ssize(places)}, at::kDouble),
                 wholes = at::empty({std::ssize(places)}, at::kLong);
    for (size_t i = 0; i < places.size(); ++i) {
      const PickleValue& value = file_.at(places[i]);
      check_input(is_number(value), "{}: '{}': item {} (from 0): expected labels that are numbers",
                  file_.name_of_file(), shown(name), i);
      wholes.data_ptr<int64_t>()[i] = value.integer;
      values.data_ptr<double>()[i] =
          value.kind == PickleKind::number ? value.number : static_cast<double>(value.integer);
    }
    return whole ? wholes : values;
  }

  /// Whether a list holds rows: tensors of the shape of the first, more than one.
  bool are_rows(const Places& places) const {
    if (places.size() < 2) return false;
    for (const int32_t place : places)
      if (!file_.is_tensor(file_.at(place))) return false;
    const auto shape = [&](int32_t place) { return file_.view_of(file_.at(place), "").shape; };
    // Two of different shapes are values and labels, more of them tensors to choose from.
    return std::all_of(places.begin(), places.end(),
                       [&](int32_t place) { return shape(place) == shape(places[0]); });
  }

  /// (n, ...) of n tensors of one shape.
  Tensor stacked(const Places& places, const char* what) {
    check_input(places.size() <= most_torch_tensors,
                "{}: a list of more than {} tensors: save it as one (torch.stack)", file_.name_of_file(),
                most_torch_tensors);
    std::vector<Tensor> rows;
    rows.reserve(places.size());
    for (const int32_t place : places) {
      const std::string name = fmt::format("{} {} (from 0)", what, rows.size());
      rows.push_back(storages_.read(file_.at(place), name));
      const Tensor& row = rows.back();
      check_input(row.sizes() == rows[0].sizes() && row.scalar_type() == rows[0].scalar_type(),
                  "{}: {}: expected a tensor of shape {} of {}, as the first is, but it is {} of {}",
                  file_.name_of_file(), name, shape_string(rows[0].sizes()),
                  at::toString(rows[0].scalar_type()), shape_string(row.sizes()),
                  at::toString(row.scalar_type()));
    }
    return at::stack(rows);
  }

  /// [(x,), ...] or [(x, label), ...].
  bool is_list_of_pairs(const Places& places) const {
    const auto size_of = [&](int32_t place) -> size_t {
      const PickleValue& item = file_.at(place);
      const bool pair = (item.kind == PickleKind::tuple || item.kind == PickleKind::list) &&
                        !item.items.empty() && file_.is_tensor(file_.at(item.items[0]));
      return pair ? item.items.size() : 0;
    };
    if (places.size() < 2) return false;
    const size_t size = size_of(places[0]);
    return (size == 1 || size == 2) &&
           std::all_of(places.begin(), places.end(), [&](int32_t place) { return size_of(place) == size; });
  }

  TensorsByName read_pairs(const Places& places) {
    Places rows, labels;
    for (const int32_t place : places) {
      const Places& item = file_.at(place).items;
      rows.push_back(item[0]);
      if (item.size() == 2) labels.push_back(item[1]);
    }
    if (labels.empty()) return {{"", stacked(rows, "row")}};
    const bool tensors = std::all_of(labels.begin(), labels.end(),
                                     [&](int32_t place) { return file_.is_tensor(file_.at(place)); });
    return {{"x", stacked(rows, "row")},
            {"labels", tensors ? stacked(labels, "label") : numbers(labels, "labels")}};
  }

  const TorchContent& file_;
  TorchStorages storages_;
};

}  // namespace

std::map<std::string, Tensor> torch_data(const TorchContent& file, const std::string& key) {
  return DataReader(file).read(key);
}

}  // namespace fokker
