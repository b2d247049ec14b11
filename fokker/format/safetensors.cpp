#include "fokker/format/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unordered_set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"
#include "fokker/format/safetensors/header.h"

namespace fokker {
namespace {

const char* name_of(const NamedTensor& tensor) {
  const char* name = safetensors_type_name(tensor.tensor.scalar_type());
  check(name != nullptr, "save_safetensors: '{}': the type {} has no name in safetensors", tensor.name,
        at::toString(tensor.tensor.scalar_type()));
  return name;
}

/// By type, wide ones first, then by name, as the format's own writer does.
std::vector<NamedTensor> in_file_order(std::vector<NamedTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return std::pair(safetensors_type_place(a.tensor.scalar_type()), a.name) <
           std::pair(safetensors_type_place(b.tensor.scalar_type()), b.name);
  });
  return tensors;
}

std::string json_of(const nlohmann::json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::argument, "save_safetensors: expected names and metadata in UTF-8");
  }
}

/// What the format's own writer writes: the metadata, then the tensors in the order of their bytes.
std::string make_header(const std::vector<NamedTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  const auto member = [&](const std::string& name, const std::string& value) {
    if (text.size() > 1) text += ',';
    text += json_of(name) + ':' + value;
  };
  if (!metadata.empty()) member(safetensors_metadata, json_of(metadata));
  std::unordered_set<std::string> names = {safetensors_metadata};
  uint64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    check(names.insert(tensor.name).second,
          "save_safetensors: expected distinct names but received '{}' twice (or reserved)", tensor.name);
    const uint64_t end = offset + tensor.tensor.nbytes();
    member(tensor.name, fmt::format(R"({{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", name_of(tensor),
                                    json_of(tensor.tensor.sizes().vec()), offset, end));
    offset = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  check(text.size() <= SafetensorsLimits::header, "save_safetensors: the header exceeds {} bytes",
        SafetensorsLimits::header);
  return text;
}

/// The bytes before the tensors: the header, held against the length of the file.
SafetensorsHeader read_header(ByteReader& reader) {
  const std::string& name = reader.name();
  check_input(reader.remaining().exact, "{}: expected a regular file", name);
  uint64_t length = 0;
  reader.read(&length, sizeof length);
  const uint64_t left = reader.remaining().at_most;
  check_input(length <= left && length <= SafetensorsLimits::header,
              "{}: not a safetensors file, or truncated: it claims a header of {} but {} follow", name,
              describe_bytes(length), describe_bytes(left));
  std::string text(length, '\0');
  reader.read(text.data(), length);
  return parse_safetensors_header(text, name, left - length);
}

/// A file in memory as pages that are read when they are looked at, and copied when they are written to.
class MappedFile {
 public:
  /// Null where the file cannot be mapped: empty, or its file system has no way.
  static std::shared_ptr<MappedFile> open(const std::filesystem::path& path, uint64_t expected) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return nullptr;
    struct stat status {};
    void* data = MAP_FAILED;
    if (::fstat(descriptor, &status) == 0 && static_cast<uint64_t>(status.st_size) == expected &&
        expected > 0)
      data = ::mmap(nullptr, expected, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
    ::close(descriptor);
    return data == MAP_FAILED ? nullptr : std::shared_ptr<MappedFile>(new MappedFile(data, expected));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(data_, size_); }
  char* data() const { return static_cast<char*>(data_); }

 private:
  MappedFile(void* data, uint64_t size) : data_(data), size_(size) {}
  void* data_;
  uint64_t size_;
};

/// A tensor in the mapped file, or a copy where its numbers do not lie at a multiple of their size.
Tensor view_of(const std::shared_ptr<MappedFile>& file, const SafetensorsEntry& entry, uint64_t start) {
  char* data = file->data() + start + entry.begin;
  const auto options = at::TensorOptions(entry.type);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  if (reinterpret_cast<uintptr_t>(data) % at::elementSize(entry.type) == 0)
    return at::from_blob(
        data, entry.shape, [file](void*) {}, options);
  Tensor copy = at::empty(entry.shape, options);
  std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
  return copy;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      const std::map<std::string, std::string>& metadata) try {
  for (const NamedTensor& tensor : tensors)
    check(tensor.tensor.defined(), "save_safetensors: '{}' is an undefined tensor", tensor.name);
  const std::vector<NamedTensor> ordered = in_file_order(tensors);
  const std::string header = make_header(ordered, metadata);
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    FileWriter out(temporary, path.string());
    const uint64_t length = header.size();
    out.write(&length, sizeof length);
    out.write(header);
    for (const NamedTensor& tensor : ordered) {
      const Tensor values = tensor.tensor.detach().to(at::kCPU).contiguous();
      out.write(values.data_ptr(), values.nbytes());
    }
    out.close();
  });
} catch (...) {
  detail::throw_as_error();
}

SafetensorsFile load_safetensors(const std::filesystem::path& path) try {
  const auto reader = open_bytes(path);
  SafetensorsHeader header = read_header(*reader);
  SafetensorsFile file{.tensors = {}, .metadata = std::move(header.metadata)};
  file.tensors.reserve(header.entries.size());
  for (const SafetensorsEntry& entry : header.entries)
    file.tensors.push_back({entry.name, read_tensor(*reader, entry.shape, entry.type)});
  reader->expect_end();
  return file;
} catch (...) {
  detail::throw_as_error();
}

SafetensorsFile map_safetensors(const std::filesystem::path& path) try {
  const auto reader = open_bytes(path);
  SafetensorsHeader header = read_header(*reader);
  const uint64_t start = reader->position();
  const auto mapped = MappedFile::open(path, start + reader->remaining().at_most);
  if (!mapped) return load_safetensors(path);
  SafetensorsFile file{.tensors = {}, .metadata = std::move(header.metadata)};
  file.tensors.reserve(header.entries.size());
  for (const SafetensorsEntry& entry : header.entries)
    file.tensors.push_back({entry.name, view_of(mapped, entry, start)});
  return file;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
