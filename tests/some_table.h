#pragma once
#include <memory>

#include "fokker/core/random/rng.h"
#include "fokker/table/table_map.h"

/// A table with a column of every kind, for tests of what is made of it.
namespace fokker {

inline Column level_column(const std::string& name, int64_t levels,
                           ColumnKind kind = ColumnKind::categorical) {
  Column column{.name = name, .kind = kind};
  for (int64_t k = 0; k < levels; ++k) column.levels.push_back("level " + std::to_string(k));
  return column;
}

inline Column number_column(const std::string& name, ColumnKind kind = ColumnKind::real, int decimals = -1) {
  return {.name = name, .kind = kind, .decimals = decimals};
}

/// real | integer of few values | integer of many | rounded real, 60 % zeros | category | ordinal |
/// category with missing cells | real with missing cells | few-valued integer with missing cells | day |
/// constant
inline Schema some_schema() {
  Schema schema;
  schema.columns = {number_column("real"),
                    number_column("few", ColumnKind::integer, 0),
                    number_column("many", ColumnKind::integer, 0),
                    number_column("spiked", ColumnKind::real, 2),
                    level_column("category", 5),
                    level_column("ordinal", 4, ColumnKind::ordinal),
                    level_column("gaps", 3),
                    number_column("real with gaps"),
                    number_column("few with gaps", ColumnKind::integer, 0),
                    number_column("day", ColumnKind::datetime, 0),
                    level_column("constant", 1, ColumnKind::constant)};
  schema.columns[3].spikes = {{0, 0.6}};
  for (const size_t j : {6, 7, 8}) schema.columns[j].missing = {"?"};
  schema.columns[9].date_format = "%Y-%m-%d";
  return schema;
}

/// n rows of independent columns of some_schema: (n, 11) float64.
inline Tensor some_cells(int64_t n, uint64_t seed) {
  const Rng rng(seed);
  const auto u = [&](const char* name) { return rng.stream(name).uniform({n}, {}, at::kDouble); };
  const auto z = [&](const char* name) { return rng.stream(name).normal({n}, {}, at::kDouble); };
  const auto gaps = [&](const Tensor& cells, const char* name) {
    return cells.masked_fill(u(name) < 0.2, NAN);
  };
  return at::stack({z("real") * 3 + 1, (u("few") * 9).square().floor(), (z("many").exp() * 5000).round(),
                    (((z("spiked").exp() * 100).round() + 1) / 100).masked_fill(u("zero") < 0.6, 0),
                    (u("category").square() * 5).floor(), (u("ordinal") * 4).floor(),
                    gaps((u("gaps") * 3).floor(), "gap 1"), gaps(z("real with gaps").exp(), "gap 2"),
                    gaps((u("few with gaps") * 7).floor() - 3, "gap 3"), (u("day") * 20'000).floor() * 86400,
                    at::zeros({n}, at::TensorOptions(at::kDouble))},
                   1);
}

inline TableMap some_map(int64_t n = 6000, uint64_t seed = 1) {
  return TableMap::fit(some_cells(n, seed), std::make_shared<const Schema>(some_schema()), Rng(5));
}

}  // namespace fokker
