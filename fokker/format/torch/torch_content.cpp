#include "fokker/format/torch/torch_content.h"

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/endian.h"

namespace fokker {
namespace {

std::string joined(const std::string& way, const std::string& name) {
  return way.empty() ? name : way + "." + name;
}

}  // namespace

std::vector<std::pair<std::string, int32_t>> TorchContent::members(const PickleValue& value) const {
  std::vector<std::pair<std::string, int32_t>> found;
  found.reserve(value.items.size());
  if (value.kind != PickleKind::dict) {
    for (size_t i = 0; i < value.items.size(); ++i) found.emplace_back(std::to_string(i), value.items[i]);
    return found;
  }
  for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const PickleValue& key = at(value.items[i]);
    check_input(key.kind == PickleKind::text || key.kind == PickleKind::integer,
                "{}: expected texts or numbers as keys of its dicts", name_of_file());
    found.emplace_back(key.kind == PickleKind::text ? key.text : std::to_string(key.integer),
                       value.items[i + 1]);
  }
  return found;
}

int32_t TorchContent::inside(int32_t place) const {
  const PickleValue& value = at(place);
  if (value.kind != PickleKind::object || value.text != tensor_dataset || value.items.empty()) return place;
  const PickleValue& state = at(value.items[0]);
  if (state.kind == PickleKind::dict)
    for (const auto& [name, member] : members(state))
      if (name == "tensors") return member;
  return place;
}

int64_t TorchContent::whole_of(int32_t place, const std::string& name, const char* what) const {
  const PickleValue& value = at(place);
  check_input(value.kind == PickleKind::integer && value.integer >= 0,
              "{}: tensor '{}': {}: expected whole numbers of at least 0", name_of_file(), shown(name), what);
  return value.integer;
}

std::vector<int64_t> TorchContent::sizes_of(int32_t place, const std::string& name, const char* what) const {
  const PickleValue* value = &at(place);
  if (value->kind == PickleKind::call && value->text == "torch.Size" && value->items.size() == 1)
    value = &at(value->items[0]);
  check_input(value->kind == PickleKind::tuple && value->items.size() <= 32,
              "{}: tensor '{}': {}: expected a tuple of at most 32 numbers", name_of_file(), shown(name),
              what);
  std::vector<int64_t> sizes;
  sizes.reserve(value->items.size());
  for (const int32_t item : value->items) sizes.push_back(whole_of(item, name, what));
  return sizes;
}

/// ("storage", torch.FloatStorage, key, device, elements).
void TorchContent::read_storage_name(int32_t place, const std::string& name, TensorView& view) const {
  const PickleValue& reference = at(place);
  const bool is_reference = reference.kind == PickleKind::persistent &&
                            at(reference.items[0]).kind == PickleKind::tuple &&
                            at(reference.items[0]).items.size() == 5;
  check_input(is_reference, "{}: tensor '{}': expected a reference to a storage", name_of_file(),
              shown(name));
  const std::vector<int32_t>& parts = at(reference.items[0]).items;
  check_input(at(parts[0]).text == "storage" && at(parts[1]).kind == PickleKind::global &&
                  at(parts[2]).kind == PickleKind::text,
              "{}: tensor '{}': expected a reference to a storage", name_of_file(), shown(name));
  view.type = storage_type(at(parts[1]).text);
  check_input(view.type != at::ScalarType::Undefined, "{}: tensor '{}': expected a storage but found {}",
              name_of_file(), shown(name), at(parts[1]).text);
  view.storage = at(parts[2]).text;
  view.storage_size = whole_of(parts[4], name, "size of its storage");
}

/// Holds the view against its storage, and the storage against the file.
void TorchContent::check_view(const TensorView& view, const std::string& name) const {
  const std::string place = fmt::format("{}: tensor '{}'", name_of_file(), shown(name));
  const auto entry = archive.storages.find(view.storage);
  check_input(entry != archive.storages.end(), "{}: its storage '{}' is not in the archive", place,
              shown(view.storage));
  const uint64_t bytes = byte_count(place, view.storage_size, at::elementSize(view.type));
  check_input(entry->second.size == bytes, "{}: its storage '{}' needs {} but the archive has {}", place,
              shown(view.storage), describe_bytes(bytes), describe_bytes(entry->second.size));
  check_input(view.shape.size() == view.strides.size(), "{}: expected as many strides as sizes", place);
  const uint64_t wanted = byte_count(place, view.shape, at::elementSize(view.type));
  check_input(wanted <= bytes, "{}: shape {} needs {} but its storage has {}", place,
              shape_string(view.shape), describe_bytes(wanted), describe_bytes(bytes));
  if (wanted == 0) return;
  int64_t last = view.offset;
  bool inside = last < view.storage_size;
  for (size_t i = 0; i < view.shape.size() && inside; ++i) {
    int64_t step = 0;
    inside = !__builtin_mul_overflow(view.shape[i] - 1, view.strides[i], &step) &&
             !__builtin_add_overflow(last, step, &last) && last < view.storage_size;
  }
  check_input(inside, "{}: its view reaches beyond its storage of {} elements", place, view.storage_size);
}

TensorView TorchContent::view_of(const PickleValue& value, const std::string& name, int depth) const {
  if (value.text == rebuild_parameter) {
    check_input(!value.items.empty() && is_tensor(at(value.items[0])) && depth < 2,
                "{}: parameter '{}': expected a tensor", name_of_file(), shown(name));
    return view_of(at(value.items[0]), name, depth + 1);
  }
  check_input(value.items.size() >= 4, "{}: tensor '{}': expected a storage, an offset, sizes and strides",
              name_of_file(), shown(name));
  TensorView view;
  read_storage_name(value.items[0], name, view);
  view.offset = whole_of(value.items[1], name, "offset");
  view.shape = sizes_of(value.items[2], name, "sizes");
  view.strides = sizes_of(value.items[3], name, "strides");
  check_view(view, name);
  return view;
}

void TorchContent::walk(int32_t place, const std::string& way, int depth, size_t& visited,
                        const Take& take) const {
  check_input(depth < deepest_torch_value, "{}: its values are nested more than {} deep", name_of_file(),
              deepest_torch_value);
  check_input(++visited <= 5 * most_torch_tensors, "{}: more than {} values", name_of_file(),
              5 * most_torch_tensors);
  const PickleValue& value = at(inside(place));
  if (is_tensor(value)) return take(way, value);
  if (!is_container(value)) return;
  for (const auto& [name, member] : members(value)) walk(member, joined(way, name), depth + 1, visited, take);
}

/// The place of a key below a value; -1 where there is none. Names may have dots of their own.
int32_t TorchContent::find(int32_t from, std::string_view key, int depth) const {
  from = inside(from);
  if (key.empty()) return from;
  if (depth >= deepest_torch_value || !is_container(at(from))) return -1;
  for (const auto& [name, member] : members(at(from))) {
    if (!key.starts_with(name) || (key.size() > name.size() && key[name.size()] != '.')) continue;
    const int32_t found = find(member, key.substr(std::min(key.size(), name.size() + 1)), depth + 1);
    if (found >= 0) return found;
  }
  return -1;
}

int32_t TorchContent::resolve(const std::string& key) const {
  const int32_t root = inside(archive.pickle.root());
  const int32_t found = find(root, key, 0);
  if (found >= 0) return found;
  std::vector<std::string> names;
  if (is_container(at(root)))
    for (const auto& [name, member] : members(at(root)))
      if (names.size() < 20) names.push_back(shown(name));
  fail(ErrorKind::input, "{}: no key '{}'; at the top are: {}", name_of_file(), shown(key), join(names));
}

void TorchContent::refuse_without_tensors(const std::string& key) const {
  std::vector<std::string> ways;
  size_t visited = 0;
  walk(resolve(key), key, 0, visited, [&](const std::string& name, const PickleValue&) {
    // Up to the dict that holds it: the first dot after the key.
    const std::string way = name.substr(0, name.find('.', key.empty() ? 0 : key.size() + 1));
    if (ways.size() < 20 && std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(way);
  });
  for (std::string& way : ways) way = shown(way);
  check_input(!ways.empty(), "{}: it holds no tensors{}", name_of_file(), key.empty() ? "" : " there");
  fail(ErrorKind::input, "{}: its tensors are in dicts of their own: choose one by its key, of: {}",
       name_of_file(), join(ways));
}

Tensor TorchStorages::read(const PickleValue& tensor, const std::string& name) {
  const TensorView view = file_.view_of(tensor, name);
  Tensor& storage = storages_[view.storage];
  if (!storage.defined()) {
    storage = read_tensor(*open_zip_entry(file_.archive.path, file_.archive.storages.at(view.storage)),
                          view.storage_size, view.type);
    if (file_.archive.big_endian) reverse_bytes(storage);
  }
  check_input(storage.scalar_type() == view.type, "{}: tensor '{}': its storage is also read as {}",
              file_.name_of_file(), shown(name), at::toString(storage.scalar_type()));
  return storage.as_strided(view.shape, view.strides, view.offset);
}

}  // namespace fokker
