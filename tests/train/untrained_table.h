#pragma once
#include <memory>

#include "fokker/denoise/table.h"
#include "fokker/format/model.h"
#include "fokker/nn/table/table_network.h"
#include "some_table.h"

namespace fokker {

/// A model of some_table's columns that has learned nothing: the exact one, since they are independent. Its
/// map is fitted to that many rows.
inline Model untrained_table_model(int64_t rows) {
  auto map = std::make_shared<const TableMap>(some_map(rows));
  return {.network = std::make_shared<TableNetwork>(map->layout(), MlpOptions{.width = 8, .depth = 1}),
          .spec = table_denoiser_spec(GaussianProcess(VariancePreserving{})),
          .normalisation = Normalisation::identity({map->layout().dims()}),
          .columns = map->schema().names(),
          .label_names = {},
          .table = map};
}

}  // namespace fokker
