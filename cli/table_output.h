#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/evaluate/table/table_comparison.h"

namespace fokker::cli {

/// What `evaluate` says of typed tables, for programs and for people.
Json table_json(const TableComparison& comparison, const Schema& schema);
std::string table_text(const TableComparison& comparison, const Schema& schema);

}  // namespace fokker::cli
