#include "fokker/format/torch/torch_file.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/format/torch/torch_content.h"
#include "fokker/format/torch/torch_data.h"

namespace fokker {

TorchFile::TorchFile(const std::filesystem::path& path) try
    : content_(std::make_unique<const TorchContent>(TorchContent{open_torch_archive(path)})) {
} catch (...) {
  detail::throw_as_error();
}

TorchFile::~TorchFile() = default;

std::vector<TensorEntry> TorchFile::list() const try {
  std::vector<TensorEntry> entries;
  size_t visited = 0;
  content_->walk(content_->archive.pickle.root(), "", 0, visited,
                 [&](const std::string& name, const PickleValue& tensor) {
                   TensorView view = content_->view_of(tensor, name);
                   entries.push_back({name, std::move(view.shape), view.type});
                 });
  return entries;
} catch (...) {
  detail::throw_as_error();
}

std::vector<NamedTensor> TorchFile::read(const std::string& key) const try {
  const TorchContent& file = *content_;
  const PickleValue& value = file.at(file.resolve(key));
  std::vector<std::pair<std::string, const PickleValue*>> found;
  if (file.is_tensor(value)) found.emplace_back("", &value);
  if (TorchContent::is_container(value))
    for (const auto& [name, member] : file.members(value))
      if (file.is_tensor(file.at(member))) found.emplace_back(name, &file.at(member));
  if (found.empty()) file.refuse_without_tensors(key);
  check_input(found.size() <= most_torch_tensors, "{}: more than {} tensors", file.name_of_file(),
              most_torch_tensors);
  TorchStorages storages(file);
  std::vector<NamedTensor> tensors;
  tensors.reserve(found.size());
  for (const auto& [name, tensor] : found) tensors.push_back({name, storages.read(*tensor, name)});
  return tensors;
} catch (...) {
  detail::throw_as_error();
}

std::map<std::string, Tensor> TorchFile::read_data(const std::string& key) const try {
  return torch_data(*content_, key);
} catch (...) {
  detail::throw_as_error();
}

std::vector<NamedTensor> load_torch(const std::filesystem::path& path, const std::string& key) {
  return TorchFile(path).read(key);
}

}  // namespace fokker
