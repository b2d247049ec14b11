#include "fokker/table/table_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

using Kind = TablePart::Kind;
constexpr int64_t most_corners = 128;  // of a simplex; more levels are codes
constexpr int64_t code_dims = 48;
constexpr int64_t most_on_line = 256;   // distinct values of a number whose law is learned value by value
constexpr int64_t least_per_value = 8;  // rows a value has on average where they are
const at::TensorOptions cell_type = at::TensorOptions(at::kDouble);
const at::TensorOptions level_type = at::TensorOptions(at::kLong);

/// The width of the cells that a column's values are rounded to; 0 where they are not.
double step_of(const Column& column, const Tensor& values) {
  if (column.kind == ColumnKind::integer) return 1;
  if (column.kind == ColumnKind::real) return column.decimals < 0 ? 0 : std::pow(10.0, -column.decimals);
  for (const double seconds : {86400.0, 3600.0, 60.0, 1.0})
    if ((values.remainder(seconds) == 0).all().item<bool>()) return seconds;
  return 0;
}

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
    const double z = normal_quantiles(at::scalar_tensor(u, cell_type)).item<double>();
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

/// Places of numbers in sorted values: of the nearest.
Tensor nearest_place(const std::vector<double>& values, const Tensor& cells) {
  if (values.size() == 1) return at::zeros(cells.sizes(), level_type);
  std::vector<double> middles;
  for (size_t i = 0; i + 1 < values.size(); ++i) middles.push_back(std::midpoint(values[i], values[i + 1]));
  return at::searchsorted(at::tensor(middles, cell_type), cells.contiguous());
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
                 .prior = shares(levels, count)};
  place.gate = add_part(fit_part(std::move(part), rng));
  return cells.index_select(0, (levels == 0).nonzero().squeeze(1));
}

void TableMap::add_number(int64_t column, const Tensor& cells, const Rng& rng) {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  Place& place = places_[static_cast<size_t>(column)];
  const Tensor known = cells.index_select(0, cells.isnan().logical_not().nonzero().squeeze(1));
  check_input(known.size(0) > 0, "column '{}': every cell is missing; leave it out", c.name);
  const Tensor distinct = std::get<0>(at::_unique(known, true));
  const int64_t count = distinct.size(0);
  const bool on_line = count > 1 && count <= most_on_line && known.size(0) >= least_per_value * count;
  const Tensor numbers = add_gate(column, cells, !on_line && count > 1, rng);
  if (on_line) {
    place.values = as_vector(distinct);
    TablePart part{.kind = Kind::line,
                   .column = column,
                   .levels = count,
                   .prior = shares(nearest_place(place.values, known), count)};
    part.positions = line_positions(part.prior);
    place.levels = add_part(fit_part(std::move(part), rng));
    return;
  }
  place.scores = NormalScores::fit(numbers.size(0) > 0 ? numbers : known, step_of(c, known));
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
  parts = std::move(sorted);
  for (Place& place : places_)
    for (int64_t* part : {&place.number, &place.levels, &place.gate})
      if (*part >= 0) *part = now[static_cast<size_t>(*part)];
}

TableMap TableMap::fit(const Tensor& cells, std::shared_ptr<const Schema> schema, const Rng& rng) {
  check(schema != nullptr && cells.dim() == 2 && cells.size(1) == schema->size() && cells.size(0) > 0,
        "TableMap: expected rows of a schema's columns but received {}", shape_string(cells));
  TableMap map(std::move(schema));
  map.layout_.columns = map.schema().size();
  map.places_.resize(static_cast<size_t>(map.schema().size()));
  const Tensor values = cells.to(at::kDouble);
  for (int64_t j = 0; j < map.schema().size(); ++j) {
    const Tensor column = values.select(1, j).contiguous();
    const Rng draws = rng.stream("parts").stream(static_cast<uint64_t>(j));
    if (map.schema().columns[static_cast<size_t>(j)].is_number())
      map.add_number(j, column, draws);
    else
      map.add_levels(j, column, draws);
  }
  map.order_parts();
  check_input(!map.layout_.parts.empty(), "every column is constant: there is nothing to learn");
  return map;
}

/// The level of cells (n) of a column that has levels; a missing one is the last.
Tensor TableMap::level_of(int64_t column, const Tensor& cells) const {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  const Tensor missing = cells.isnan();
  const Place& place = places_[static_cast<size_t>(column)];
  if (c.is_number()) return nearest_place(place.values, at::where(missing, at::zeros_like(cells), cells));
  const auto count = static_cast<double>(c.levels.size());
  check_input(!c.missing.empty() || !missing.any().item<bool>(),
              "column '{}': a cell is missing, which none is by its schema", c.name);
  const Tensor level = at::where(missing, at::full_like(cells, count), cells);
  check_input(((level >= 0) & (level <= count) & ((level < count) | missing)).all().item<bool>(),
              "column '{}': a cell is none of the {} levels of its schema", c.name, c.levels.size());
  return level.to(at::kLong);
}

/// 0 for a number, i + 1 for the i-th of the spikes, the last for a missing cell.
Tensor TableMap::gate_of(int64_t column, const Tensor& cells) const {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  const Place& place = places_[static_cast<size_t>(column)];
  Tensor gate = at::zeros(cells.sizes(), level_type);
  const bool spikes = place.levels < 0;
  const int64_t count = spikes ? std::ssize(place.values) : 0;
  for (int64_t i = 0; i < count; ++i)
    gate = gate.masked_fill(cells == place.values[static_cast<size_t>(i)], i + 1);
  const Tensor missing = cells.isnan();
  check_input(!c.missing.empty() || !missing.any().item<bool>(),
              "column '{}': a cell is missing, which none is by its schema", c.name);
  return gate.masked_fill(missing, count + 1);
}

/// Levels of a part that the cells say nothing of, by its shares.
Tensor TableMap::filler_levels(const TablePart& part, int64_t n, const Rng* rng, uint64_t step) const {
  const Tensor cumulative = at::tensor(part.prior, cell_type).cumsum(0);
  const Tensor u = rng ? rng->uniform({n}, {.step = step}, at::kDouble) : at::full({n}, 0.5, cell_type);
  return at::searchsorted(cumulative, u * cumulative[-1]).clamp_max(part.levels - 1);
}

TableRows TableMap::encode(const Tensor& given, const Rng* rng, uint64_t step) const {
  check(given.dim() == 2 && given.size(1) == schema_->size(),
        "TableMap: expected rows of {} cells but received {}", schema_->size(), shape_string(given));
  const Tensor cells = given.to(at::kDouble);
  const int64_t n = cells.size(0), numbers = layout_.numbers();
  TableRows rows{.x = {}, .levels = at::zeros({n, layout_.discretes()}, level_type)};
  std::vector<Tensor> x(layout_.parts.size());
  const auto draws = [&](const char* purpose, size_t column) {
    return rng ? std::optional<Rng>(rng->stream(purpose).stream(column)) : std::nullopt;
  };
  for (size_t j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    const Tensor column = cells.select(1, static_cast<int64_t>(j)).contiguous();
    const Tensor gate = place.gate >= 0 ? gate_of(static_cast<int64_t>(j), column) : Tensor();
    if (gate.defined()) rows.levels.select(1, discrete_of(place.gate)).copy_(gate);
    const auto fill = draws("beside a gate", j);
    if (place.levels >= 0) {
      Tensor level = level_of(static_cast<int64_t>(j), column);
      if (gate.defined())
        level = at::where(gate == 0, level,
                          filler_levels(layout_.parts[static_cast<size_t>(place.levels)], n,
                                        fill ? &*fill : nullptr, step));
      rows.levels.select(1, discrete_of(place.levels)).copy_(level);
    }
    if (place.number < 0) continue;
    const auto cell = draws("within a cell", j);
    const Tensor within =
        cell ? cell->uniform({n}, {.step = step}, at::kDouble) : at::full({n}, 0.5, cell_type);
    Tensor z = place.scores->to_scores(at::where(column.isnan(), at::zeros_like(column), column), within);
    if (gate.defined())
      z = at::where(gate == 0, z, fill ? fill->normal({n}, {.step = step}, at::kDouble) : at::zeros_like(z));
    x[static_cast<size_t>(place.number)] = z.unsqueeze(1).to(at::kFloat);
  }
  for (size_t i = static_cast<size_t>(numbers); i < x.size(); ++i)
    x[i] = part_points(layout_.parts[i])
               .index_select(0, rows.levels.select(1, discrete_of(static_cast<int64_t>(i))));
  rows.x = at::cat(x, 1);
  return rows;
}

Tensor TableMap::decode(const TableRows& rows) const {
  const int64_t n = rows.x.size(0);
  Tensor cells = at::zeros({n, schema_->size()}, cell_type);
  for (size_t j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    const Column& column = schema_->columns[j];
    Tensor cell = cells.select(1, static_cast<int64_t>(j));
    const auto level = [&](int64_t part) { return rows.levels.select(1, discrete_of(part)); };
    if (place.number >= 0) {
      cell.copy_(place.scores->to_values(rows.x.select(1, place.number)));
    } else if (place.levels >= 0 && column.is_number()) {
      cell.copy_(at::tensor(place.values, cell_type).index_select(0, level(place.levels)));
    } else if (place.levels >= 0) {
      cell.copy_(level(place.levels));
      cell.masked_fill_(level(place.levels) >= std::ssize(column.levels), NAN);
    }
    if (place.gate < 0) continue;
    const int64_t spikes = place.number >= 0 ? std::ssize(place.values) : 0;
    for (int64_t i = 0; i < spikes; ++i)
      cell.masked_fill_(level(place.gate) == i + 1, place.values[static_cast<size_t>(i)]);
    cell.masked_fill_(level(place.gate) == spikes + 1, NAN);
  }
  return cells;
}

Tensor TableMap::nearest_levels(const Tensor& x) const {
  std::vector<Tensor> levels;
  int64_t first = layout_.numbers();
  for (size_t i = static_cast<size_t>(layout_.numbers()); i < layout_.parts.size(); ++i) {
    const Tensor points = part_points(layout_.parts[i]);
    const Tensor y = x.narrow(1, first, points.size(1)).to(at::kFloat);
    levels.push_back((at::mm(y, points.t()) - 0.5 * points.square().sum(1)).argmax(1));
    first += points.size(1);
  }
  return levels.empty() ? at::zeros({x.size(0), 0}, level_type) : at::stack(levels, 1);
}

Tensor TableMap::determined(const TableRows& rows) const {
  Tensor known = at::ones({rows.x.size(0), std::ssize(layout_.parts)}, at::TensorOptions(at::kBool));
  for (const Place& place : places_)
    if (place.gate >= 0)
      known.select(1, std::max(place.number, place.levels))
          .copy_(rows.levels.select(1, discrete_of(place.gate)) == 0);
  return known;
}

Tensor TableMap::log_slope(const TableRows& rows) const {
  Tensor total = at::zeros({rows.x.size(0)}, cell_type);
  for (const Place& place : places_) {
    if (place.number < 0) continue;
    const Tensor slope = place.scores->log_slope(rows.x.select(1, place.number));
    const Tensor gate = place.gate < 0 ? Tensor() : rows.levels.select(1, discrete_of(place.gate));
    total += gate.defined() ? at::where(gate == 0, slope, at::zeros_like(slope)) : slope;
  }
  return total;
}

/// That each column's parts are those that its kind can have, and have as many levels as it says.
void TableMap::check_places(const std::string& file) const {
  const auto levels_of = [&](int64_t part) { return layout_.parts[static_cast<size_t>(part)].levels; };
  for (size_t j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    const Column& column = schema_->columns[j];
    const int64_t missing = column.missing.empty() ? 0 : 1, values = std::ssize(place.values);
    bool good =
        column.is_number() ? (place.number >= 0) != (place.levels >= 0) : place.number < 0 && place.gate < 0;
    if (good && column.has_levels())
      good = place.levels < 0 ? std::ssize(column.levels) + missing < 2
                              : levels_of(place.levels) == std::ssize(column.levels) + missing;
    if (good && column.is_number() && place.levels >= 0)
      good = levels_of(place.levels) == values && std::is_sorted(place.values.begin(), place.values.end());
    if (good && place.gate >= 0)
      good = levels_of(place.gate) == 1 + missing + (place.number >= 0 ? values : 0);
    if (good && place.gate < 0 && column.is_number())
      good = missing == 0 && (place.number < 0 || values == 0);
    check_input(good, "{}: the parts of column '{}' do not fit its kind", file, column.name);
  }
}

Json TableMap::to_json() const {
  Json list = Json::array();
  for (const Place& place : places_) {
    Json json = {
        {"number", place.number}, {"levels", place.levels}, {"gate", place.gate}, {"values", place.values}};
    if (place.scores) json["scores"] = place.scores->to_json();
    list.push_back(std::move(json));
  }
  return {{"schema", schema_->to_json()}, {"places", std::move(list)}};
}

TableMap TableMap::from_json(const Json& json, TableLayout layout, const std::string& file) {
  const detail::JsonReader reader(json, file);
  TableMap map(std::make_shared<const Schema>(Schema::from_json(reader.at("schema").json(), file)));
  map.layout_ = std::move(layout);
  const Json& places = reader.at("places").json();
  check_input(places.is_array() && std::ssize(places) == map.schema().size() &&
                  map.layout_.columns == map.schema().size(),
              "{}: expected a place of each of {} columns", file, map.schema().size());
  const int64_t numbers = map.layout_.numbers(), parts = std::ssize(map.layout_.parts);
  std::vector<bool> taken(static_cast<size_t>(parts));
  for (const Json& item : places) {
    const detail::JsonReader member(item, file + ": places");
    Place place{.number = member.get<int64_t>("number"),
                .levels = member.get<int64_t>("levels"),
                .gate = member.get<int64_t>("gate"),
                .values = member.get<std::vector<double>>("values")};
    if (place.number >= 0) place.scores = NormalScores::from_json(member.at("scores").json(), file);
    for (const auto& [part, low, high] : {std::tuple{place.number, int64_t{0}, numbers},
                                          {place.levels, numbers, parts},
                                          {place.gate, numbers, parts}}) {
      check_input(part == -1 || (part >= low && part < high && !taken[static_cast<size_t>(part)]),
                  "{}: a place names part {} of {}", file, part, parts);
      if (part >= 0) taken[static_cast<size_t>(part)] = true;
    }
    map.places_.push_back(std::move(place));
  }
  map.check_places(file);
  return map;
}

}  // namespace fokker
