#include "fokker/core/text/strict_json.h"

#include <set>
#include <vector>

#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Follows the parser: the names seen in each open object, and the values in each open array.
template <typename Value>
class JsonWatch {
 public:
  using Event = typename Value::parse_event_t;
  JsonWatch(const std::string& place, const JsonLimits& limits) : place_(place), limits_(limits) {}

  bool operator()(int depth, Event event, Value& parsed) {
    const auto level = static_cast<size_t>(depth);
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        check_input(depth < limits_.depth, "{}: nested too deep: expected at most {} levels", place_,
                    limits_.depth);
        count_item(level);
        open_.resize(level + 2);
        open_[level + 1] = {.is_array = event == Event::array_start};
        break;
      case Event::key:
        see_name(open_.at(level), parsed.template get_ref<const std::string&>());
        break;
      case Event::value:
        count_item(level);
        break;
      default:
        break;
    }
    return true;
  }

 private:
  struct Open {
    bool is_array = false;
    size_t items = 0;
    std::set<std::string> names = {};
  };

  void count_item(size_t level) {
    if (level >= open_.size() || !open_[level].is_array) return;
    check_input(++open_[level].items <= limits_.items, "{}: expected lists of at most {} items", place_,
                limits_.items);
  }
  void see_name(Open& object, const std::string& name) {
    check_input(name.size() <= limits_.name_bytes, "{}: expected names of at most {} bytes but found {}",
                place_, limits_.name_bytes, name.size());
    check_input(object.names.insert(name).second, "{}: two members are named '{}'", place_, name);
    check_input(object.names.size() <= limits_.members, "{}: expected objects of at most {} members", place_,
                limits_.members);
  }

  const std::string& place_;
  const JsonLimits& limits_;
  std::vector<Open> open_;  // by depth; the first is no object
};

template <typename Value>
Value watched_parse(const std::string& text, const std::string& place, const JsonLimits& limits) {
  JsonWatch<Value> watch(place, limits);
  try {
    return Value::parse(text, [&](int depth, typename Value::parse_event_t event, Value& parsed) {
      return watch(depth, event, parsed);
    });
  } catch (const typename Value::parse_error& error) {
    fail(ErrorKind::input, "{}: byte {}: not valid JSON", place, error.byte);
  } catch (const typename Value::exception&) {
    fail(ErrorKind::input, "{}: holds a number that is out of range", place);
  }
}

}  // namespace

template <typename Value>
Value parse_strict_json(const std::string& text, const std::string& place, const JsonLimits& limits) {
  return watched_parse<Value>(text, place, limits);
}

template Json parse_strict_json<Json>(const std::string&, const std::string&, const JsonLimits&);
template nlohmann::json parse_strict_json<nlohmann::json>(const std::string&, const std::string&,
                                                          const JsonLimits&);

}  // namespace fokker
