#include "fokker/table/table_map.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/table/nearest_place.h"

namespace fokker {
namespace {

using Kind = TablePart::Kind;
const at::TensorOptions cell_type = at::TensorOptions(at::kDouble);
const at::TensorOptions level_type = at::TensorOptions(at::kLong);

}  // namespace

void TableMap::set_layout(TableLayout layout) {
  layout_ = std::move(layout);
  points_.clear();
  for (const TablePart& part : layout_.parts)
    points_.push_back(part.kind == Kind::number ? Tensor() : part_points(part));
}

/// The level of cells (n) of a column that has levels; a missing one is the last.
Tensor TableMap::level_of(int64_t column, const Tensor& cells) const {
  const Column& c = schema_->columns[static_cast<size_t>(column)];
  const Tensor missing = cells.isnan();
  const Place& place = places_[static_cast<size_t>(column)];
  if (c.is_number())
    return detail::nearest_place(place.values, at::where(missing, at::zeros_like(cells), cells));
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
Tensor TableMap::filler_levels(const TablePart& part, int64_t n, const Rng* rng,
                               DrawPosition position) const {
  const Tensor cumulative = at::tensor(part.prior, cell_type).cumsum(0);
  const Tensor u = rng ? rng->uniform({n}, position, at::kDouble) : at::full({n}, 0.5, cell_type);
  return at::searchsorted(cumulative, u * cumulative[-1]).clamp_max(part.levels - 1);
}

TableRows TableMap::encode(const Tensor& given, const Rng* rng, DrawPosition position, Within law) const {
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
                                        fill ? &*fill : nullptr, position));
      rows.levels.select(1, discrete_of(place.levels)).copy_(level);
    }
    if (place.number < 0) continue;
    const auto cell = draws("within a cell", j);
    const Tensor within = cell ? cell->uniform({n}, position, at::kDouble) : at::full({n}, 0.5, cell_type);
    const Tensor values = at::where(column.isnan(), at::zeros_like(column), column);
    Tensor z = law == Within::share && cell ? place.scores->to_smooth_scores(values, within)
                                            : place.scores->to_scores(values, within);
    if (gate.defined())
      z = at::where(gate == 0, z, fill ? fill->normal({n}, position, at::kDouble) : at::zeros_like(z));
    x[static_cast<size_t>(place.number)] = z.unsqueeze(1).to(at::kFloat);
  }
  for (size_t i = static_cast<size_t>(numbers); i < x.size(); ++i)
    x[i] = points_[i].index_select(0, rows.levels.select(1, discrete_of(static_cast<int64_t>(i))));
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
    if (place.twin >= 0) {
      const int64_t source = places_[static_cast<size_t>(place.twin)].levels;
      cell.copy_(
          at::tensor(place.values, cell_type).index_select(0, rows.levels.select(1, discrete_of(source))));
      continue;
    }
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
  const std::vector<PartOffset> offsets = layout_.offsets();
  for (size_t i = static_cast<size_t>(layout_.numbers()); i < layout_.parts.size(); ++i) {
    const Tensor& points = points_[i];
    const Tensor y = x.narrow(1, offsets[i].dim, points.size(1)).to(at::kFloat);
    levels.push_back((at::mm(y, points.t()) - 0.5 * points.square().sum(1)).argmax(1));
  }
  return levels.empty() ? at::zeros({x.size(0), 0}, level_type) : at::stack(levels, 1);
}

std::vector<std::string> TableMap::columns_by_likelihood(bool density) const {
  std::vector<std::string> names;
  for (size_t j = 0; j < places_.size(); ++j)
    if ((places_[j].scores && places_[j].scores->step() == 0) == density)
      names.push_back(schema_->columns[j].name);
  return names;
}

std::vector<std::string> TableMap::dimension_names() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < layout_.parts.size(); ++i) {
    const TablePart& part = layout_.parts[i];
    const Column& column = schema_->columns[static_cast<size_t>(part.column)];
    const Place& place = places_[static_cast<size_t>(part.column)];
    for (int64_t k = 0; k < part.dims; ++k) {
      const auto level = static_cast<size_t>(k);
      if (part.dims == 1)
        names.push_back(column.name);
      else if (part.kind == Kind::codes)
        names.push_back(fmt::format("{}[{}]", column.name, k));
      else if (place.gate != static_cast<int64_t>(i))
        names.push_back(fmt::format("{}={}", column.name,
                                    level < column.levels.size() ? column.levels[level] : "missing"));
      else if (k == 0)
        names.push_back(column.name + "=number");
      else
        names.push_back(fmt::format("{}={}", column.name,
                                    place.number >= 0 && level <= place.values.size()
                                        ? fmt::format("{}", place.values[level - 1])
                                        : "missing"));
    }
  }
  return names;
}

Tensor TableMap::determined(const TableRows& rows) const {
  Tensor known = at::ones({rows.x.size(0), std::ssize(layout_.parts)}, at::TensorOptions(at::kBool));
  for (const Place& place : places_)
    if (place.gate >= 0)
      known.select(1, std::max(place.number, place.levels))
          .copy_(rows.levels.select(1, discrete_of(place.gate)) == 0);
  return known;
}

Tensor TableMap::log_slope(const TableRows& rows, const std::vector<int64_t>& without) const {
  Tensor total = at::zeros({rows.x.size(0)}, cell_type);
  for (size_t j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    if (place.number < 0 ||
        std::find(without.begin(), without.end(), static_cast<int64_t>(j)) != without.end())
      continue;
    const Tensor slope = place.scores->log_slope(rows.x.select(1, place.number));
    const Tensor gate = place.gate < 0 ? Tensor() : rows.levels.select(1, discrete_of(place.gate));
    total += gate.defined() ? at::where(gate == 0, slope, at::zeros_like(slope)) : slope;
  }
  return total;
}

}  // namespace fokker
