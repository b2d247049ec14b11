#include "fokker/format/torch/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/format/torch/pickle_advice.h"
#include "fokker/format/torch/pickle_operations.h"

namespace fokker {
namespace {

/// A state dict of a hundred thousand tensors stays below it.
constexpr size_t most_values = 1'000'000;
constexpr int64_t largest_memo = 1'000'000;
constexpr int32_t unset = -1;
constexpr const char* ordered_dict = "collections.OrderedDict";

}  // namespace

/// The machine that a pickle is a program for, of which only what makes plain values exists.
class PickleReader {
 public:
  PickleReader(std::string_view bytes, const std::string& name, const KnownGlobal& known)
      : bytes_(bytes), name_(name), known_(known) {}

  Pickle read() {
    expect(number<1>() == op_proto && at_ < bytes_.size(), "a pickle of protocol 2 to 5");
    const uint64_t protocol = number<1>();
    expect(protocol >= 2 && protocol <= 5, "a pickle of protocol 2 to 5");
    while (true) {
      start_ = at_;
      const auto operation = static_cast<unsigned char>(number<1>());
      if (operation == op_stop) break;
      const bool done = push_plain(operation) || remember(operation) || contain(operation) || make(operation);
      check_input(done, "{}: byte {}: a pickle's operation 0x{:02x}, which tensors do not need", name_,
                  start_, operation);
    }
    expect(stack_.size() == 1 && marks_.empty(), "one value at the end");
    expect(at_ == bytes_.size(), "nothing after the end");
    pickle_.root_ = stack_.back();
    return std::move(pickle_);
  }

 private:
  void expect(bool condition, const char* what) const {
    check_input(condition, "{}: byte {}: damaged pickle: expected {}", name_, start_, what);
  }

  std::string_view take(uint64_t count) {
    expect(count <= bytes_.size() - at_, "more bytes, but it is truncated");
    const std::string_view piece = bytes_.substr(at_, count);
    at_ += count;
    return piece;
  }

  /// Little-endian, without sign.
  template <int size>
  uint64_t number() {
    const std::string_view piece = take(size);
    uint64_t value = 0;
    for (int i = size; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(piece[static_cast<size_t>(i)]);
    return value;
  }

  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    expect(end != std::string_view::npos, "the end of a name");
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  void push(PickleValue value) {
    check_input(pickle_.values_.size() < most_values,
                "{}: byte {}: more than {} values (torch.stack makes one tensor of many)", name_, start_,
                most_values);
    pickle_.values_.push_back(std::move(value));
    stack_.push_back(static_cast<int32_t>(pickle_.values_.size()) - 1);
  }
  bool push_integer(int64_t value) { return push({.kind = PickleKind::integer, .integer = value}), true; }
  bool push_text(std::string_view text) {
    return push({.kind = PickleKind::text, .text = std::string(text)}), true;
  }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  int32_t pop() {
    expect(stack_.size() > floor(), "a value on its stack");
    const int32_t place = stack_.back();
    stack_.pop_back();
    return place;
  }
  std::vector<int32_t> pop_last(size_t count) {
    expect(stack_.size() - floor() >= count, "a value on its stack");
    std::vector<int32_t> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<int32_t> pop_to_mark() {
    expect(!marks_.empty(), "a mark on its stack");
    std::vector<int32_t> items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }
  /// The value that is changed: on top of the stack.
  PickleValue& top(PickleKind kind, const char* what) {
    expect(stack_.size() > floor(), "a value on its stack");
    PickleValue& value = pickle_.values_[static_cast<size_t>(stack_.back())];
    expect(value.kind == kind, what);
    return value;
  }

  bool push_plain(unsigned char operation) {
    switch (operation) {
      case op_none:
        return push({}), true;
      case op_true:
      case op_false:
        return push({.kind = PickleKind::boolean, .integer = operation == op_true}), true;
      case op_binint:
        return push_integer(static_cast<int32_t>(static_cast<uint32_t>(number<4>())));
      case op_binint1:
        return push_integer(static_cast<int64_t>(number<1>()));
      case op_binint2:
        return push_integer(static_cast<int64_t>(number<2>()));
      case op_long1:
        return push_long();
      case op_binfloat:
        return push_float();
      case op_binunicode:
      case op_binbytes:
      case op_binstring:
        return push_text(take(number<4>()));
      case op_short_binunicode:
      case op_short_binbytes:
      case op_short_binstring:
        return push_text(take(number<1>()));
      case op_binunicode8:
        return push_text(take(number<8>()));
      default:
        return false;
    }
  }

  /// Little-endian two's complement.
  bool push_long() {
    const std::string_view piece = take(number<1>());
    expect(piece.size() <= 8, "a whole number of at most 64 bits");
    uint64_t value = !piece.empty() && (piece.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = piece.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(piece[i]);
    return push_integer(static_cast<int64_t>(value));
  }

  /// Big-endian.
  bool push_float() {
    uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    return push({.kind = PickleKind::number, .number = std::bit_cast<double>(bits)}), true;
  }

  bool remember(unsigned char operation) {
    switch (operation) {
      case op_binput:
        return put(static_cast<int64_t>(number<1>()));
      case op_long_binput:
        return put(static_cast<int64_t>(number<4>()));
      case op_memoize:
        return put(std::ssize(memo_));
      case op_binget:
        return recall(static_cast<int64_t>(number<1>()));
      case op_long_binget:
        return recall(static_cast<int64_t>(number<4>()));
      case op_frame:
        return number<8>(), true;
      case op_mark:
        return marks_.push_back(stack_.size()), true;
      default:
        return false;
    }
  }

  /// Places in the memo are counted from 0 on; one far beyond the others serves nothing.
  bool put(int64_t place) {
    expect(stack_.size() > floor(), "a value on its stack");
    expect(place < largest_memo && place <= 2 * std::ssize(memo_) + 1024, "a smaller place in its memo");
    if (place >= std::ssize(memo_)) memo_.resize(static_cast<size_t>(place) + 1, unset);
    memo_[static_cast<size_t>(place)] = stack_.back();
    return true;
  }
  bool recall(int64_t place) {
    expect(place < std::ssize(memo_) && memo_[static_cast<size_t>(place)] != unset,
           "a place of its memo that was filled");
    return stack_.push_back(memo_[static_cast<size_t>(place)]), true;
  }

  bool contain(unsigned char operation) {
    switch (operation) {
      case op_empty_tuple:
        return push({.kind = PickleKind::tuple}), true;
      case op_empty_list:
        return push({.kind = PickleKind::list}), true;
      case op_empty_dict:
        return push({.kind = PickleKind::dict}), true;
      case op_tuple:
        return push({.kind = PickleKind::tuple, .items = pop_to_mark()}), true;
      case op_tuple1:
      case op_tuple2:
      case op_tuple3:
        return push({.kind = PickleKind::tuple, .items = pop_last(operation - op_tuple1 + size_t{1})}), true;
      case op_append:
        return add(PickleKind::list, pop_last(1), "a list to append to");
      case op_appends:
        return add(PickleKind::list, pop_to_mark(), "a list to append to");
      case op_setitem:
        return add(PickleKind::dict, pop_last(2), "a dict to set items of");
      case op_setitems:
        return add(PickleKind::dict, pop_to_mark(), "a dict to set items of");
      default:
        return false;
    }
  }

  bool add(PickleKind kind, const std::vector<int32_t>& items, const char* what) {
    expect(kind != PickleKind::dict || items.size() % 2 == 0, "pairs of key and value");
    std::vector<int32_t>& all = top(kind, what).items;
    all.insert(all.end(), items.begin(), items.end());
    return true;
  }

  bool make(unsigned char operation) {
    switch (operation) {
      case op_global: {
        const std::string module(line());
        return push_global(module + "." + std::string(line()));
      }
      case op_stack_global: {
        const std::vector<int32_t> names = pop_last(2);
        expect(pickle_.at(names[0]).kind == PickleKind::text && pickle_.at(names[1]).kind == PickleKind::text,
               "two texts that name a global");
        return push_global(pickle_.at(names[0]).text + "." + pickle_.at(names[1]).text);
      }
      case op_reduce:
      case op_newobj:
        return call(operation == op_newobj ? PickleKind::object : PickleKind::call);
      case op_build:
        return build();
      case op_binpersid:
        return push({.kind = PickleKind::persistent, .items = pop_last(1)}), true;
      default:
        return false;
    }
  }

  bool push_global(const std::string& global) {
    check_input(known_(global) || global == ordered_dict,
                "{}: it asks for {}, which is no tensor's and is not executed; {}", name_, shown(global),
                pickle_advice(global));
    return push({.kind = PickleKind::global, .text = global}), true;
  }

  bool call(PickleKind made) {
    const int32_t arguments = pop(), function = pop();
    expect(pickle_.at(function).kind == PickleKind::global, "a global to call");
    expect(pickle_.at(arguments).kind == PickleKind::tuple, "a tuple of arguments");
    const std::string& global = pickle_.at(function).text;
    // What an object is made of is set on it afterwards.
    std::vector<int32_t> items;
    if (made == PickleKind::call) items = pickle_.at(arguments).items;
    if (global != ordered_dict) return push({.kind = made, .text = global, .items = std::move(items)}), true;
    expect(items.empty(), "an OrderedDict whose items are set one by one");
    return push({.kind = PickleKind::dict}), true;
  }

  /// What is set on an OrderedDict is no item of it.
  bool build() {
    const int32_t state = pop();
    expect(stack_.size() > floor(), "a value on its stack");
    PickleValue& value = pickle_.values_[static_cast<size_t>(stack_.back())];
    if (value.kind == PickleKind::object) return value.items = {state}, true;
    expect(value.kind == PickleKind::dict, "an object or an OrderedDict whose attributes are set");
    return true;
  }

  std::string_view bytes_;
  const std::string& name_;
  const KnownGlobal& known_;
  size_t at_ = 0, start_ = 0;  ///< start: of the operation
  Pickle pickle_;
  std::vector<int32_t> stack_, memo_;
  std::vector<size_t> marks_;
};

Pickle read_pickle(std::string_view bytes, const std::string& name, const KnownGlobal& known) {
  return PickleReader(bytes, name, known).read();
}

}  // namespace fokker
