#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

struct TorchContent;

/// What is known of a tensor in a file without its values.
struct TensorEntry {
  std::string name;
  std::vector<int64_t> shape;
  at::ScalarType type = at::kFloat;
};

/// A file that PyTorch's torch.save wrote, opened: a zip archive of a pickle and the bytes of its storages,
/// read by a restricted reader of our own that executes nothing (pickle.h). Tensors of float64/32/16,
/// bfloat16, int64/32/16/8, uint8 and bool, dense, with any strides and offsets, and with storages that they
/// share; parameters are tensors. Little or big endian, as the file says.
class TorchFile {
 public:
  /// Reads all but the values. Input error, naming the file: not such a zip archive (the format before
  /// PyTorch 1.6, a plain pickle and a TorchScript program are each refused by name), damaged, or asking for
  /// a global that tensors do not need.
  explicit TorchFile(const std::filesystem::path& path);
  ~TorchFile();
  TorchFile(const TorchFile&) = delete;
  TorchFile& operator=(const TorchFile&) = delete;

  /// Every tensor in it, in the order of the file, by its way from the top, with dots: "model.0.weight".
  std::vector<TensorEntry> list() const;

  /// The tensors at `key`: of a dict under their own names, of a list by their number, of a single tensor one
  /// without a name. `key` is a way through nested dicts and lists with dots, "model.state_dict"; empty: the
  /// top. Tensors of one storage share memory. Input error: no such key (lists those there are); a value
  /// there that is no tensor and no plain number or text, which are passed over; no tensor at all (names the
  /// keys under which there are some); a storage or a view that is not what the file has, before memory is
  /// taken.
  std::vector<NamedTensor> read(const std::string& key = "") const;

  /// The tensors at `key` as a data set: of a dict by their names; a single one without a name; rows that are
  /// listed one by one, stacked. Of pairs, be it a tuple (values, labels), a TensorDataset of two or a list
  /// of pairs, "x" and "labels". Labels may be a list of numbers. A `key` that is a tensor of the dict at the
  /// top stands for all of that, so that labels beside it are there. Input error as `read`'s; rows of
  /// different shapes or types, or labels that are no numbers.
  std::map<std::string, Tensor> read_data(const std::string& key = "") const;

 private:
  std::unique_ptr<const TorchContent> content_;
};

/// TorchFile(path).read(key).
std::vector<NamedTensor> load_torch(const std::filesystem::path& path, const std::string& key = "");

}  // namespace fokker
