#include "fokker/data/labels.h"

#include <charconv>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker {
namespace {

constexpr double most_exact = 0x1p53;  // up to here float64 holds every whole number

/// All as whole numbers; nothing where one is not.
std::optional<std::vector<int64_t>> whole_labels(const std::vector<std::string>& texts) {
  std::vector<int64_t> values;
  for (const std::string& text : texts) {
    const auto value = whole_label(text);
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

/// Refuses real numbers: text among them, or numbers too large to be told apart, are names.
void check_not_real(const std::vector<std::string>& texts, const std::string& file) {
  const std::string* real = nullptr;
  for (const std::string& text : texts) {
    double value = 0;
    const NumberError error = parse_number(text, value);
    if (error == NumberError::text || error == NumberError::empty) return;
    if (error == NumberError::not_finite || (error == NumberError::none && value != std::floor(value)))
      real = &text;
  }
  check_input(!real, "{}: expected labels that are text or whole numbers but found '{}'", file,
              real ? shown(*real) : "");
}

/// Where names stand, by their text or, where all are whole numbers, by value.
class LabelIndex {
 public:
  explicit LabelIndex(const std::vector<std::string>& names) {
    for (size_t i = 0; i < names.size(); ++i) by_text_.emplace(names[i], static_cast<int64_t>(i));
    if (const auto values = whole_labels(names))
      for (size_t i = 0; i < values->size(); ++i) by_value_.emplace((*values)[i], static_cast<int64_t>(i));
  }
  std::optional<int64_t> find(std::string_view label) const {
    if (const auto found = by_text_.find(std::string(label)); found != by_text_.end()) return found->second;
    const auto value = whole_label(label);
    const auto found = value ? by_value_.find(*value) : by_value_.end();
    return found != by_value_.end() ? std::optional(found->second) : std::nullopt;
  }

 private:
  std::unordered_map<std::string, int64_t> by_text_;
  std::unordered_map<int64_t, int64_t> by_value_;
};

bool shorter(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

std::optional<int64_t> whole_label(std::string_view text) {
  double real = 0;
  if (parse_number(text, real) != NumberError::none) return {};
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc() && end == last) return value;
  if (real != std::floor(real) || std::abs(real) > most_exact) return {};
  return static_cast<int64_t>(real);
}

LabelColumn sorted_labels(const std::vector<std::string>& texts, const std::vector<int64_t>& codes,
                          const std::string& file) {
  const auto values = whole_labels(texts);
  if (!values) check_not_real(texts, file);
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (!values) return texts[a] < texts[b];
    return (*values)[a] != (*values)[b] ? (*values)[a] < (*values)[b] : shorter(texts[a], texts[b]);
  });
  LabelColumn column{.labels = at::empty({std::ssize(codes)}, at::kLong), .names = {}};
  std::vector<int64_t> place(texts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const bool same = i > 0 && values && (*values)[order[i]] == (*values)[order[i - 1]];
    if (!same) column.names.push_back(texts[order[i]]);
    place[order[i]] = std::ssize(column.names) - 1;
  }
  auto* labels = column.labels.data_ptr<int64_t>();
  for (size_t i = 0; i < codes.size(); ++i) labels[i] = place[static_cast<size_t>(codes[i])];
  return column;
}

void name_labels(Dataset& dataset, const std::string& file) try {
  if (!dataset.labels.defined()) return;
  if (dataset.labels.is_floating_point()) {
    const Tensor reals = dataset.labels.to(at::kDouble);
    const Tensor bad = reals.eq(reals.floor()).logical_and(reals.abs().le(most_exact)).logical_not();
    if (bad.any().item<bool>()) {
      const int64_t row = bad.nonzero()[0].item<int64_t>();
      fail(ErrorKind::input, "{}: row {} (from 0): expected labels that are whole numbers but found {}", file,
           row, reals[row].item<double>());
    }
  }
  const auto [values, places, counts] = at::_unique2(dataset.labels.to(at::kLong), true, true, false);
  std::vector<std::string> names;
  for (int64_t i = 0; i < values.size(0); ++i) {
    const int64_t value = values[i].item<int64_t>();
    check_input(dataset.label_names.empty() || (value >= 0 && value < std::ssize(dataset.label_names)),
                "{}: expected labels of 0 to {}, as there are names, but found {}", file,
                std::ssize(dataset.label_names) - 1, value);
    names.push_back(dataset.label_names.empty() ? std::to_string(value)
                                                : dataset.label_names[static_cast<size_t>(value)]);
  }
  dataset.labels = places;
  dataset.label_names = std::move(names);
} catch (...) {
  detail::throw_as_error();
}

std::optional<int64_t> find_label(const std::vector<std::string>& names, std::string_view label) {
  return LabelIndex(names).find(label);
}

Tensor labels_among(const Dataset& dataset, const std::vector<std::string>& known) {
  Tensor place = at::empty({std::ssize(dataset.label_names)}, at::kLong);
  const LabelIndex index(known);
  for (int64_t k = 0; k < place.size(0); ++k) {
    const std::string& name = dataset.label_names[static_cast<size_t>(k)];
    const auto found = index.find(name);
    place[k] = found.value_or(-1);
    if (found) continue;
    const Tensor rows = dataset.labels.eq(k).nonzero();
    check_input(rows.numel() == 0,
                "{}: row {} (from 0): label '{}' was not there in training: expected one of {}",
                dataset.source, rows.numel() ? rows[0].item<int64_t>() : 0, shown(name), list_labels(known));
  }
  return place.index_select(0, dataset.labels);
}

std::string list_labels(const std::vector<std::string>& names) {
  constexpr size_t most = 20, first = 10;
  std::vector<std::string> shown_names;
  for (size_t i = 0; i < (names.size() > most ? first : names.size()); ++i)
    shown_names.push_back(shown(names[i]));
  if (names.size() <= most) return join(shown_names);
  return fmt::format("{}, ..., {} ({} in all)", join(shown_names), shown(names.back()), names.size());
}

}  // namespace fokker
