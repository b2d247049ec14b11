#pragma once
#include "fokker/report/material.h"

namespace fokker::report {

// One section each, in the order of the page. Those that measure something add it to the summary.
void add_samples(Page& page, const Material& material);
void add_comparison(Page& page, const Material& material, Json& summary);
/// Of a table with a schema and its rows: errors of columns and pairs, impossible cells, copies.
void add_table(Page& page, const Material& material, Json& summary);
void add_flow(Page& page, const Material& material);
void add_marginals(Page& page, const Material& material, Json& summary);
void add_loss(Page& page, const Material& material, Json& summary);
void add_score_field(Page& page, const Material& material);
void add_schedule(Page& page, const Material& material);
void add_making(Page& page, const Material& material);

}  // namespace fokker::report
