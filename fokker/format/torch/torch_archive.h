#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "fokker/data/array/zip.h"
#include "fokker/format/torch/pickle.h"

namespace fokker {

/// The zip archive that torch.save writes: FOLDER/data.pkl, FOLDER/data/KEY for each storage, and where it is
/// said FOLDER/byteorder.
struct TorchArchive {
  std::filesystem::path path;
  std::map<std::string, ZipEntry> storages;  ///< by their key
  bool big_endian = false;
  Pickle pickle;
};

/// The calls that a tensor is pickled as.
inline constexpr const char* rebuild_tensor = "torch._utils._rebuild_tensor_v2";
inline constexpr const char* rebuild_parameter = "torch._utils._rebuild_parameter";

/// The class of data sets of tensors, whose attribute `tensors` is a tuple of them.
inline constexpr const char* tensor_dataset = "torch.utils.data.dataset.TensorDataset";

/// The type of the elements of a storage by its class, "torch.FloatStorage"; Undefined where it is none.
at::ScalarType storage_type(std::string_view global);

/// Input error, naming the file, where it is not one.
TorchArchive open_torch_archive(const std::filesystem::path& path);

}  // namespace fokker
