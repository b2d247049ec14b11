#include "fokker/format/safetensors.h"

#include <set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"

namespace fokker {
namespace {

/// A map and not `Json`'s ordered list: there, each of very many names would be a search through all.
using Header = nlohmann::json;

/// The limit of the reference implementation.
constexpr uint64_t longest_header = 100'000'000;
constexpr const char* metadata_key = "__metadata__";

struct TypeName {
  at::ScalarType type;
  const char* name;
};
constexpr TypeName type_names[] = {{at::kDouble, "F64"},    {at::kFloat, "F32"}, {at::kHalf, "F16"},
                                   {at::kBFloat16, "BF16"}, {at::kLong, "I64"},  {at::kInt, "I32"},
                                   {at::kShort, "I16"},     {at::kChar, "I8"},   {at::kByte, "U8"},
                                   {at::kBool, "BOOL"}};

struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

const char* name_of(const NamedTensor& tensor) {
  for (const auto& [type, name] : type_names)
    if (type == tensor.tensor.scalar_type()) return name;
  fail(ErrorKind::argument, "save_safetensors: '{}': the type {} has no name in safetensors", tensor.name,
       at::toString(tensor.tensor.scalar_type()));
}

/// Parses the header, refusing what the JSON library would let pass: duplicate names, and nesting that only
/// serves to eat memory.
Header parse_header(const std::string& text, const std::string& name) {
  std::set<std::string> seen;
  const auto watch = [&](int depth, Header::parse_event_t event, Header& parsed) {
    check_input(depth <= 4, "{}: its header is nested too deep", name);
    if (event == Header::parse_event_t::key && depth == 1) {
      const auto key = parsed.get<std::string>();
      check_input(seen.insert(key).second, "{}: two tensors are named '{}'", name, key);
    }
    return true;
  };
  try {
    Header header = Header::parse(text, watch);
    check_input(header.is_object(), "{}: expected a JSON object as header", name);
    return header;
  } catch (const Header::exception&) {
    fail(ErrorKind::input, "{}: its header is not valid JSON", name);
  }
}

uint64_t read_unsigned(const Header& value, const std::string& place) {
  check_input(value.is_number_unsigned(), "{}: expected whole numbers of at least 0", place);
  return value.get<uint64_t>();
}

Entry parse_entry(const std::string& name, const Header& json, const std::string& file, uint64_t data_size) {
  const std::string place = fmt::format("{}: tensor '{}'", file, name);
  check_input(
      json.is_object() && json.contains("dtype") && json.contains("shape") && json.contains("data_offsets"),
      "{}: expected dtype, shape and data_offsets", place);
  Entry entry;
  entry.name = name;
  const Header& type = json.at("dtype");
  const auto known = std::find_if(std::begin(type_names), std::end(type_names),
                                  [&](const TypeName& t) { return type.is_string() && type == t.name; });
  check_input(known != std::end(type_names),
              "{}: expected a dtype of F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL but found {}",
              place, type.dump(-1, ' ', false, Header::error_handler_t::replace));
  entry.type = known->type;
  const Header& shape = json.at("shape");
  check_input(shape.is_array() && shape.size() <= 32, "{}: shape: expected a list of at most 32 sizes",
              place);
  for (const Header& size : shape) {
    const uint64_t value = read_unsigned(size, place + ": shape");
    check_input(value <= static_cast<uint64_t>(INT64_MAX), "{}: shape: {} is too large", place, value);
    entry.shape.push_back(static_cast<int64_t>(value));
  }
  const Header& offsets = json.at("data_offsets");
  check_input(offsets.is_array() && offsets.size() == 2, "{}: data_offsets: expected two numbers", place);
  entry.begin = read_unsigned(offsets[0], place + ": data_offsets");
  entry.end = read_unsigned(offsets[1], place + ": data_offsets");
  check_input(entry.begin <= entry.end && entry.end <= data_size,
              "{}: data_offsets: expected a range inside the {} of data but found {} to {}", place,
              describe_bytes(data_size), entry.begin, entry.end);
  const uint64_t expected = byte_count(place, entry.shape, at::elementSize(entry.type));
  check_input(entry.end - entry.begin == expected, "{}: shape {} needs {} but data_offsets hold {}", place,
              shape_string(entry.shape), describe_bytes(expected), describe_bytes(entry.end - entry.begin));
  return entry;
}

std::vector<Entry> parse_entries(const Header& header, const std::string& file, uint64_t data_size) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items())
    if (name != metadata_key) entries.push_back(parse_entry(name, json, file, data_size));
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    check_input(entry.begin == covered, "{}: tensor '{}': its bytes {} those before it", file, entry.name,
                entry.begin < covered ? "overlap" : "leave a gap after");
    covered = entry.end;
  }
  check_input(covered == data_size, "{}: its header describes {} of data but {} follow", file,
              describe_bytes(covered), describe_bytes(data_size));
  return entries;
}

std::map<std::string, std::string> parse_metadata(const Header& header, const std::string& file) {
  std::map<std::string, std::string> metadata;
  if (!header.contains(metadata_key)) return metadata;
  const Header& json = header.at(metadata_key);
  check_input(json.is_object(), "{}: __metadata__: expected an object of strings", file);
  for (const auto& [key, value] : json.items()) {
    check_input(value.is_string(), "{}: __metadata__: '{}': expected a string", file, key);
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

/// Wide types first, then by name: aligned, and the same file for the same tensors.
std::vector<NamedTensor> in_file_order(std::vector<NamedTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return std::pair(-static_cast<int64_t>(a.tensor.element_size()), a.name) <
           std::pair(-static_cast<int64_t>(b.tensor.element_size()), b.name);
  });
  return tensors;
}

std::string make_header(const std::vector<NamedTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Header header = Header::object();
  if (!metadata.empty()) header[metadata_key] = metadata;
  uint64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    check(tensor.name != metadata_key && !header.contains(tensor.name),
          "save_safetensors: expected distinct names but received '{}' twice (or reserved)", tensor.name);
    const uint64_t end = offset + tensor.tensor.nbytes();
    header[tensor.name] = {
        {"dtype", name_of(tensor)}, {"shape", tensor.tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Header::exception&) {
    fail(ErrorKind::argument, "save_safetensors: expected names and metadata in UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  check(text.size() <= longest_header, "save_safetensors: the header exceeds {} bytes", longest_header);
  return text;
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
  const std::string& name = reader->name();
  check_input(reader->remaining().exact, "{}: expected a regular file", name);
  uint64_t length = 0;
  reader->read(&length, sizeof length);
  const uint64_t left = reader->remaining().at_most;
  check_input(length <= left && length <= longest_header,
              "{}: not a safetensors file, or truncated: it claims a header of {} but {} follow", name,
              describe_bytes(length), describe_bytes(left));
  std::string text(length, '\0');
  reader->read(text.data(), length);
  const Header header = parse_header(text, name);
  SafetensorsFile file{.tensors = {}, .metadata = parse_metadata(header, name)};
  for (const Entry& entry : parse_entries(header, name, left - length))
    file.tensors.push_back({entry.name, read_tensor(*reader, entry.shape, entry.type)});
  reader->expect_end();
  return file;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
