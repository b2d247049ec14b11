#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// A value of a pickle, as data: nothing in it was ever called.
struct PickleValue {
  enum class Kind {
    none,
    boolean,     ///< `integer` is 0 or 1
    integer,     ///< of at most 64 bits
    number,      ///< a float
    text,        ///< also bytes
    tuple,       ///< `items`
    list,        ///< `items`
    dict,        ///< `items`: key, value, key, value, ... as they were set; also an OrderedDict
    global,      ///< `text`: "module.name"
    call,        ///< `text`: the global that would be called; `items`: its arguments
    object,      ///< `text`: its class, of which nothing was made; `items`: what was set on it, once
    persistent,  ///< `items`: what stands for something outside of the pickle
  };
  Kind kind = Kind::none;
  int64_t integer = 0;
  double number = 0;
  std::string text = {};
  std::vector<int32_t> items = {};  ///< places in the Pickle
};

using PickleKind = PickleValue::Kind;

/// The values of a pickle. They name each other by place, so that one that contains itself, or is nested a
/// million times, costs no more than its bytes; who walks them bounds the depth.
class Pickle {
 public:
  const PickleValue& at(int32_t place) const { return values_[static_cast<size_t>(place)]; }
  int32_t root() const { return root_; }

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;
  int32_t root_ = 0;
};

/// Says of a global, "module.name", whether values may be made of it.
using KnownGlobal = std::function<bool(std::string_view)>;

/// Reads a pickle of protocol 2 to 5 without executing anything: of its operations those that plain
/// containers, numbers, texts and calls of known globals are written with. An OrderedDict is a dict, and what
/// is set on it (a state dict's _metadata) is left out. Input error that starts with `name` and gives the
/// byte: another operation or protocol, a global that is not known (named), a value too many (10^6), bytes
/// that end early or go on.
Pickle read_pickle(std::string_view bytes, const std::string& name, const KnownGlobal& known);

}  // namespace fokker
