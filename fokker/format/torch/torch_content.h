#pragma once
#include <functional>
#include <map>

#include "fokker/format/torch/torch_archive.h"
#include "fokker/nn/network.h"

namespace fokker {

/// How deep values may be nested, and how many tensors are listed or read: a dict may stand in itself many
/// times over.
inline constexpr int deepest_torch_value = 32;
inline constexpr size_t most_torch_tensors = 200'000;

/// A tensor as it is pickled: a view of a storage.
struct TensorView {
  std::string storage;
  at::ScalarType type = at::kFloat;
  int64_t storage_size = 0;  ///< elements
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
};

/// An open file of torch.save as TorchFile holds it: its values, and the way to the tensors among them.
struct TorchContent {
  TorchArchive archive;

  const PickleValue& at(int32_t place) const { return archive.pickle.at(place); }
  std::string name_of_file() const { return archive.path.string(); }

  bool is_tensor(const PickleValue& value) const {
    return value.kind == PickleKind::call &&
           (value.text == rebuild_tensor || value.text == rebuild_parameter);
  }
  static bool is_container(const PickleValue& value) {
    return value.kind == PickleKind::dict || value.kind == PickleKind::list ||
           value.kind == PickleKind::tuple;
  }

  /// What a container holds, by name: keys of a dict that are texts or numbers, places in a list.
  std::vector<std::pair<std::string, int32_t>> members(const PickleValue& value) const;

  /// Of a data set of tensors the place of its tensors; of anything else the same place.
  int32_t inside(int32_t place) const;

  TensorView view_of(const PickleValue& value, const std::string& name, int depth = 0) const;
  std::vector<int64_t> sizes_of(int32_t place, const std::string& name, const char* what) const;
  int64_t whole_of(int32_t place, const std::string& name, const char* what) const;
  void read_storage_name(int32_t place, const std::string& name, TensorView& view) const;
  void check_view(const TensorView& view, const std::string& name) const;

  /// Calls `take` with each tensor below a value.
  using Take = std::function<void(const std::string& name, const PickleValue& tensor)>;
  void walk(int32_t place, const std::string& way, int depth, size_t& visited, const Take& take) const;
  int32_t find(int32_t from, std::string_view key, int depth) const;
  /// The place of what a key leads to. Input error that lists those there are where it leads nowhere.
  int32_t resolve(const std::string& key) const;
  /// Names the keys under which there are tensors.
  [[noreturn]] void refuse_without_tensors(const std::string& key) const;
};

/// Reads tensors of a file, each storage once.
class TorchStorages {
 public:
  explicit TorchStorages(const TorchContent& file) : file_(file) {}
  /// The tensor that a value is, by that name; tensors of one storage share memory.
  Tensor read(const PickleValue& tensor, const std::string& name);

 private:
  const TorchContent& file_;
  std::map<std::string, Tensor> storages_;
};

}  // namespace fokker
