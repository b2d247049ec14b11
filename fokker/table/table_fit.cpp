#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/core/check.h"
#include "fokker/core/normal_quantiles.h"
#include "fokker/table/lattice.h"
#include "fokker/table/nearest_place.h"
#include "fokker/table/table_map.h"

// How a TableMap is fitted to the cells of a table.

namespace fokker {
namespace {

using Kind = TablePart::Kind;
constexpr int64_t most_corners = 128;  // of a simplex; more levels are codes
constexpr int64_t code_dims = 48;
constexpr int64_t most_on_line = 256;   // distinct values of a number whose law is learned value by value
constexpr int64_t least_per_value = 8;  // rows a value has on average where they are
const at::TensorOptions fit_type = at::TensorOptions(at::kDouble);

/// Shares of levels 0..count-1, those that do not occur as half a row.
std::vector<double> shares(const Tensor& levels, int64_t count) {
  Tensor counts = at::bincount(levels, {}, count).to(at::kDouble).clamp_min(0.5);
  counts = (counts / counts.sum()).contiguous();
  return {counts.data_ptr<double>(), counts.data_ptr<double>() + count};
}

/// Mean normal score of the rows of each level, were they spread evenly within it.
std::vector<double> line_positions(const std::vector<double>& prior) {
  const auto density = [](double u) {
    if (u <= 0 || u >= 1) return 0.0;
    const double z = normal_quantiles(at::scalar_tensor(u, fit_type)).item<double>();
    return std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI);
  };
  std::vector<double> positions;
  double below = 0;
  for (const double share : prior) {
    positions.push_back((density(below) - density(std::min(1.0, below + share))) / share);
    below += share;
  }
  return positions;
}

std::vector<double> as_vector(const Tensor& values) {
  const Tensor list = values.to(at::kDouble).contiguous();
  return {list.data_ptr<double>(), list.data_ptr<double>() + list.numel()};
}

}  // namespace

int64_t TableMap::add_part(TablePart part) {
  layout_.parts.push_back(std::move(part));
  return std::ssize(layout_.parts) - 1;
}

void TableMap::add_levels(int64_t column, const Tensor& cells, const Rng& rng) {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  const int64_t count = std::ssize(c.levels) + (c.missing.empty() ? 0 : 1);
  if (count < 2) return;
  const bool ordered = c.kind == ColumnKind::ordinal && c.missing.empty();
  TablePart part{.kind = ordered                 ? Kind::line
                         : count <= most_corners ? Kind::simplex
                                                 : Kind::codes,
                 .column = column,
                 .levels = count,
                 .missing = !c.missing.empty(),
                 .prior = shares(level_of(column, cells), count)};
  part.dims = part.kind == Kind::simplex ? count : part.kind == Kind::codes ? code_dims : 1;
  if (ordered) part.positions = line_positions(part.prior);
  places_[static_cast<size_t>(column)].levels = add_part(fit_part(std::move(part), rng));
}

/// The rows that the gate leaves to the number.
Tensor TableMap::add_gate(int64_t column, const Tensor& cells, bool with_spikes, const Rng& rng) {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  Place& place = places_[static_cast<size_t>(column)];
  if (with_spikes)
    for (const Spike& spike : c.spikes) place.values.push_back(spike.value);
  const int64_t count = 1 + std::ssize(place.values) + (c.missing.empty() ? 0 : 1);
  if (count == 1) return cells;
  const Tensor levels = gate_of(column, cells);
  TablePart part{.kind = Kind::simplex,
                 .column = column,
                 .levels = count,
                 .dims = count,
                 .missing = !c.missing.empty(),
                 .prior = shares(levels, count)};
  place.gate = add_part(fit_part(std::move(part), rng));
  return cells.index_select(0, (levels == 0).nonzero().squeeze(1));
}

/// The values of a number whose law is learned value by value: those seen, and of a sparse column those
/// between, or none where these are many: its law is then learned as that of a number. A column that
/// determines another has only what was seen.
std::vector<double> TableMap::line_values(int64_t column, const Tensor& known, double width) const {
  const ValueCounts counts = ValueCounts::of(as_vector(known));
  const bool source =
      std::any_of(places_.begin(), places_.end(), [&](const Place& place) { return place.twin == column; });
  const Between between = schema_->columns[static_cast<size_t>(column)].between;
  if (source || between == Between::none) return counts.values;
  const int64_t seen = std::ssize(counts.values);
  return with_values_between(counts, width, between, std::min(most_on_line - seen, seen / 4));
}

void TableMap::add_number(int64_t column, const Tensor& cells, const Rng& rng) {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  Place& place = places_[static_cast<size_t>(column)];
  const Tensor known = cells.index_select(0, cells.isnan().logical_not().nonzero().squeeze(1));
  check_input(known.size(0) > 0, "column '{}': every cell is missing; leave it out", c.name);
  const Tensor distinct = std::get<0>(at::_unique(known, true));
  const int64_t count = distinct.size(0);
  const double width =
      c.between == Between::none ? cell_width(c, as_vector(distinct)) : lattice_width(c, as_vector(distinct));
  std::vector<double> on_line;
  if (count > 1 && count <= most_on_line && known.size(0) >= least_per_value * count)
    on_line = line_values(column, known, width);
  const Tensor numbers = add_gate(column, cells, on_line.empty() && count > 1, rng);
  if (!on_line.empty()) {
    place.values = on_line;
    TablePart part{.kind = Kind::line,
                   .column = column,
                   .levels = std::ssize(on_line),
                   .prior = shares(detail::nearest_place(place.values, known), std::ssize(on_line))};
    part.positions = line_positions(part.prior);
    place.levels = add_part(fit_part(std::move(part), rng));
    return;
  }
  place.scores = NormalScores::fit(numbers.size(0) > 0 ? numbers : known, width, c.between);
  place.number = add_part({.column = column});
}

/// Numbers first, then the discrete parts by kind: places in the list become those in that order.
void TableMap::order_parts() {
  auto& parts = layout_.parts;
  std::vector<int64_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return parts[static_cast<size_t>(a)].kind < parts[static_cast<size_t>(b)].kind;
  });
  std::vector<TablePart> sorted;
  std::vector<int64_t> now(parts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    now[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    sorted.push_back(std::move(parts[static_cast<size_t>(order[i])]));
  }
  for (Place& place : places_)
    for (int64_t* part : {&place.number, &place.levels, &place.gate})
      if (*part >= 0) *part = now[static_cast<size_t>(*part)];
  set_layout({.parts = std::move(sorted), .columns = layout_.columns});
}

TableMap TableMap::fit(const Tensor& cells, std::shared_ptr<const Schema> schema, const Rng& rng) {
  check(schema != nullptr && cells.dim() == 2 && cells.size(1) == schema->size() && cells.size(0) > 0,
        "TableMap: expected rows of a schema's columns but received {}", shape_string(cells));
  TableMap map(std::move(schema));
  map.layout_.columns = map.schema().size();
  map.places_.resize(static_cast<size_t>(map.schema().size()));
  const Tensor values = cells.to(at::kDouble);
  map.find_twins(values);
  for (int64_t j = 0; j < map.schema().size(); ++j) {
    const Tensor column = values.select(1, j).contiguous();
    const Rng draws = rng.stream("parts").stream(static_cast<uint64_t>(j));
    if (map.twin_of(j) >= 0) continue;
    if (map.schema().columns[static_cast<size_t>(j)].is_number())
      map.add_number(j, column, draws);
    else
      map.add_levels(j, column, draws);
  }
  map.order_parts();
  check_input(!map.layout_.parts.empty(), "every column is constant: there is nothing to learn");
  return map;
}

}  // namespace fokker
