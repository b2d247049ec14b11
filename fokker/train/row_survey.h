#pragma once
#include <string>

#include "fokker/data/column_figures.h"
#include "fokker/data/dataset.h"

namespace fokker {

/// What has to be known of the rows of a table before it is trained on, by one pass over them: where they
/// stay on disk, each further one would read all of them again.
struct RowSurvey {
  ColumnFigures training, held_out;
  /// Of rows that stay on disk: the hashes of the two parts (data_record); else empty.
  std::string content = {};

  /// (d): of all rows.
  Tensor low() const;
  Tensor high() const;
};

/// Of a table of plain numbers, `whole`, and its parts. Blocks are read ahead, and hashed, on threads of
/// their own. Input error naming the row where a number is not finite.
RowSurvey survey_rows(const Dataset& whole, const Split& parts);

}  // namespace fokker
