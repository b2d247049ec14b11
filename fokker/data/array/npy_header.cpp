#include "fokker/data/array/npy_header.h"

#include <charconv>
#include <cstring>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// Parses the Python dictionary literal that NPY prescribes, and nothing more of Python.
class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, const std::string& name, uint64_t offset)
      : text_(text), name_(name), offset_(offset) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    require(at_ == text_.size(), "the end of the header");
    require(has_descr_, "the key 'descr'");
    require(has_order_, "the key 'fortran_order'");
    require(has_shape_, "the key 'shape'");
    return header_;
  }

 private:
  void value(const std::string& key) {
    if (key == "descr" && !std::exchange(has_descr_, true)) {
      check_input(!accept('['), "{}: structured arrays (with named fields) are not supported", name_);
      header_.descr = string();
    } else if (key == "fortran_order" && !std::exchange(has_order_, true)) {
      header_.fortran_order = boolean();
    } else if (key == "shape" && !std::exchange(has_shape_, true)) {
      header_.shape = tuple();
    } else {
      require(false, "one each of the keys 'descr', 'fortran_order' and 'shape'");
    }
  }

  std::string string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    require(quote == '\'' || quote == '"', "a quoted string");
    const size_t end = text_.find(quote, at_ + 1);
    require(end != std::string_view::npos && end - at_ < 64, "a short quoted string");
    const std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return result;
  }

  bool boolean() {
    skip_space();
    const bool value = text_.substr(at_).starts_with("True");
    require(value || text_.substr(at_).starts_with("False"), "True or False");
    at_ += value ? 4 : 5;
    return value;
  }

  std::vector<int64_t> tuple() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(integer());
      require(sizes.size() <= 32, "at most 32 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  int64_t integer() {
    skip_space();
    int64_t number = 0;
    const char* first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), number);
    require(error == std::errc() && number >= 0, "a size between 0 and 2^63 - 1");
    at_ += static_cast<size_t>(end - first);
    accept('L');  // Python 2 wrote 3L
    return number;
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) { require(accept(c), std::string_view(&c, 1)); }
  void require(bool condition, std::string_view expected) const {
    check_input(condition, "{}: byte {}: damaged NPY header: expected {}", name_, offset_ + at_, expected);
  }

  std::string_view text_;
  const std::string& name_;
  uint64_t offset_;
  size_t at_ = 0;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
  NpyHeader header_;
};

const char* descr_of(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return "<f2";
    case at::kFloat:
      return "<f4";
    case at::kDouble:
      return "<f8";
    case at::kChar:
      return "|i1";
    case at::kShort:
      return "<i2";
    case at::kInt:
      return "<i4";
    case at::kLong:
      return "<i8";
    case at::kByte:
      return "|u1";
    case at::kBool:
      return "|b1";
    default:
      fail(ErrorKind::argument, "save_npy: expected a type that NPY has but received {}", at::toString(type));
  }
}

}  // namespace

NpyHeader read_npy_header(ByteReader& reader) {
  unsigned char start[8];
  reader.read(start, sizeof start);
  check_input(std::memcmp(start, magic.data(), magic.size()) == 0,
              "{}: expected an NPY file (its first bytes are not \\x93NUMPY)", reader.name());
  const int version = start[6];
  check_input(version >= 1 && version <= 3, "{}: byte 6: expected NPY version 1, 2 or 3 but found {}",
              reader.name(), version);
  unsigned char bytes[4] = {};
  reader.read(bytes, version == 1 ? 2 : 4);
  const uint32_t length = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
  constexpr uint32_t longest = 1 << 16;
  check_input(length <= longest, "{}: byte 8: expected an NPY header of at most {} bytes but it claims {}",
              reader.name(), longest, length);
  const uint64_t offset = reader.position();
  std::string text(length, '\0');
  reader.read(text.data(), length);
  return DictionaryParser(text, reader.name(), offset).parse();
}

std::string npy_header(IntArrayRef shape, at::ScalarType type) {
  // Python writes (3,) for one dimension and (3, 4) for more.
  std::string sizes;
  for (size_t i = 0; i < shape.size(); ++i) sizes += fmt::format("{}{}", i ? ", " : "", shape[i]);
  if (shape.size() == 1) sizes += ',';
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(type), sizes);
  const size_t before = magic.size() + 4;
  text.append((64 - (before + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string header(magic);
  header += {1, 0, static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace fokker
