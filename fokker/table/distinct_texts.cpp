#include "fokker/table/distinct_texts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/table/cells.h"

namespace fokker {
namespace {

/// A code and what decides its level.
struct Entry {
  int32_t code;
  std::string_view bare;
  double value;
};

std::vector<Entry> entries_of(const DistinctTexts& texts, bool none_is_missing, bool& numbers) {
  std::vector<Entry> entries;
  numbers = true;
  for (int32_t code = 0; code < texts.size(); ++code) {
    const DistinctText& each = texts[code];
    if (each.kind == CellClass::missing || (none_is_missing && each.kind == CellClass::word_none)) continue;
    numbers = numbers && (each.kind == CellClass::number || each.kind == CellClass::amount);
    entries.push_back({code, without_blanks(each.text), each.value});
  }
  return entries;
}

}  // namespace

int32_t DistinctTexts::find(std::string_view text) const {
  const auto found = codes_.find(text);
  return found != codes_.end() ? found->second : -1;
}

int32_t DistinctTexts::add(std::string_view text, CellClass kind, double value) {
  const auto code = static_cast<int32_t>(texts_.size());
  const auto place = codes_.emplace(text, code).first;
  texts_.push_back({place->first, kind, value, 0});
  return code;
}

Levels levels_of(const DistinctTexts& texts, bool none_is_missing, bool by_value) {
  Levels levels;
  std::vector<Entry> entries = entries_of(texts, none_is_missing, levels.numbers);
  const bool joined = levels.numbers && by_value;
  const auto before = [&](const Entry& a, const Entry& b) {
    if (levels.numbers && a.value != b.value) return a.value < b.value;
    return !joined && a.bare < b.bare;
  };
  std::stable_sort(entries.begin(), entries.end(), before);
  levels.place.assign(static_cast<size_t>(texts.size()), NAN);
  for (size_t i = 0, next = 0; i < entries.size(); i = next) {
    int32_t best = entries[i].code;
    int64_t count = 0;
    for (; next < entries.size() && !before(entries[i], entries[next]); ++next) {
      const DistinctText &each = texts[entries[next].code], &most = texts[best];
      if (each.count > most.count || (each.count == most.count && each.text < most.text))
        best = entries[next].code;
      count += each.count;
      levels.place[static_cast<size_t>(entries[next].code)] = static_cast<double>(levels.names.size());
    }
    levels.names.emplace_back(texts[best].text);
    levels.counts.push_back(count);
  }
  return levels;
}

}  // namespace fokker
