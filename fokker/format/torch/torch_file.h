#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

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

 private:
  struct Content;
  std::unique_ptr<const Content> content_;
};

/// TorchFile(path).read(key).
std::vector<NamedTensor> load_torch(const std::filesystem::path& path, const std::string& key = "");

}  // namespace fokker
