#include "fokker/format/safetensors/header.h"

#include <algorithm>
#include <array>

#include "fokker/core/check.h"
#include "fokker/core/text/strict_json.h"
#include "fokker/core/text/text.h"
#include "fokker/data/bytes.h"

namespace fokker {
namespace {

/// A map and not `Json`'s ordered list: there, each of very many names would be a search through all.
using Header = nlohmann::json;
using Limits = SafetensorsLimits;

struct SafetensorsType {
  at::ScalarType type;
  const char* name;
};
/// In the order in which the format's own writer puts their numbers.
constexpr std::array<SafetensorsType, 10> known_types = {{{at::kLong, "I64"},
                                                          {at::kDouble, "F64"},
                                                          {at::kFloat, "F32"},
                                                          {at::kInt, "I32"},
                                                          {at::kBFloat16, "BF16"},
                                                          {at::kHalf, "F16"},
                                                          {at::kShort, "I16"},
                                                          {at::kChar, "I8"},
                                                          {at::kByte, "U8"},
                                                          {at::kBool, "BOOL"}}};

/// Types of the format that tensors here do not have.
constexpr std::array<const char*, 13> foreign_types = {
    "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2",
    "F4",      "C64",     "U16",     "U32",         "U64",         "C128"};

at::ScalarType read_type(const Header& json, const std::string& place) {
  const std::string name = json.is_string() ? json.get<std::string>() : "";
  for (const auto& [type, known] : known_types)
    if (name == known) return type;
  for (const char* foreign : foreign_types)
    check_input(name != foreign,
                "{}: its numbers are {}, which tensors here do not have; expected F64, F32, F16, BF16, I64, "
                "I32, I16, "
                "I8, U8 or BOOL (convert it first)",
                place, name);
  fail(ErrorKind::input,
       "{}: expected a dtype of F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL but found {}", place,
       json.dump(-1, ' ', false, Header::error_handler_t::replace));
}

uint64_t read_unsigned(const Header& value, const std::string& place) {
  check_input(value.is_number_unsigned(), "{}: expected whole numbers of at least 0", place);
  return value.get<uint64_t>();
}

std::vector<int64_t> read_shape(const Header& json, const std::string& place) {
  check_input(json.is_array() && json.size() <= Limits::rank,
              "{}: shape: expected a list of at most {} sizes", place, Limits::rank);
  std::vector<int64_t> shape;
  shape.reserve(json.size());
  for (const Header& size : json) {
    const uint64_t value = read_unsigned(size, place + ": shape");
    check_input(value <= static_cast<uint64_t>(INT64_MAX), "{}: shape: {} is too large", place, value);
    shape.push_back(static_cast<int64_t>(value));
  }
  return shape;
}

SafetensorsEntry read_entry(const std::string& name, const Header& json, const std::string& file,
                            uint64_t data_size) {
  const std::string place = fmt::format("{}: tensor '{}'", file, shown(name));
  check_input(
      json.is_object() && json.contains("dtype") && json.contains("shape") && json.contains("data_offsets"),
      "{}: expected dtype, shape and data_offsets", place);
  SafetensorsEntry entry{.name = name, .type = read_type(json.at("dtype"), place), .shape = {}};
  entry.shape = read_shape(json.at("shape"), place);
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

/// The tensors cover the data one after the other, without overlap or gap.
void check_cover(const std::vector<SafetensorsEntry>& entries, const std::string& file, uint64_t data_size) {
  uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    check_input(entry.begin == covered, "{}: tensor '{}': its bytes {} those before it", file,
                shown(entry.name), entry.begin < covered ? "overlap" : "leave a gap after");
    covered = entry.end;
  }
  check_input(covered == data_size, "{}: its header describes {} of data but {} follow", file,
              describe_bytes(covered), describe_bytes(data_size));
}

std::map<std::string, std::string> read_metadata(const Header& header, const std::string& file) {
  std::map<std::string, std::string> metadata;
  if (!header.contains(safetensors_metadata)) return metadata;
  const Header& json = header.at(safetensors_metadata);
  check_input(json.is_object(), "{}: __metadata__: expected an object of strings", file);
  for (const auto& [key, value] : json.items()) {
    check_input(value.is_string(), "{}: __metadata__: '{}': expected a string", file, shown(key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

}  // namespace

size_t safetensors_type_place(at::ScalarType type) {
  size_t place = 0;
  while (place < known_types.size() && known_types[place].type != type) ++place;
  return place;
}

const char* safetensors_type_name(at::ScalarType type) {
  for (const auto& [known, name] : known_types)
    if (known == type) return name;
  return nullptr;
}

SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& file,
                                           uint64_t data_size) {
  const std::string place = file + ": header";
  check_input(!text.empty() && text.front() == '{', "{}: expected a JSON object, which begins with {{",
              place);
  const auto json = parse_strict_json<Header>(
      text, place,
      {.depth = 3, .members = Limits::tensors + 1, .items = Limits::rank, .name_bytes = Limits::name});
  SafetensorsHeader header{.entries = {}, .metadata = read_metadata(json, file)};
  header.entries.reserve(json.size());
  for (const auto& [name, entry] : json.items())
    if (name != safetensors_metadata) header.entries.push_back(read_entry(name, entry, file, data_size));
  std::sort(header.entries.begin(), header.entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
              return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
            });
  check_cover(header.entries, file, data_size);
  return header;
}

}  // namespace fokker
