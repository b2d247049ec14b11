#pragma once
#include <optional>

#include "fokker/core/text/json.h"
#include "fokker/data/dataset.h"
#include "fokker/format/model.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/report/page.h"
#include "fokker/target/distribution.h"
#include "fokker/train/trainer.h"

namespace fokker::report {

/// What a report is made from. What is absent is said in the page in place of the sections that need it.
struct RunRecord {
  std::string name;  ///< of the run, as its reader knows it
  Model model;       ///< on the CPU or a GPU
  std::vector<TrainMetrics> metrics = {};
  std::optional<Split> data = {};                ///< the rows that it was trained on, and those kept apart
  std::string why_no_data = {};                  ///< one sentence, where there are none
  std::shared_ptr<const Distribution> law = {};  ///< that the rows were drawn from, where it is known
  std::string configuration = {};                ///< the resolved options, as TOML
};

struct ReportOptions {
  int64_t points = 2000;  ///< samples of a table
  int64_t images = 36;    ///< samples of an image model, fewer where they are large
  int64_t frames = 41;    ///< states of the reverse flow of a table, both ends included
  int64_t image_frames = 21;
  int64_t times = 20;  ///< at which the loss is measured
  uint64_t seed = 0;
};

/// Fewer rows of data are shown, but not compared with samples.
constexpr int64_t kFewestCompared = 4;

struct Report {
  Page page;
  Json summary;  ///< the numbers in it
};

/// The training loss over steps and, where it was measured, the held-out loss under the name given.
std::vector<plot::LossSeries> loss_series(const std::vector<TrainMetrics>& metrics,
                                          const std::string& held_out);

/// Draws one row as a report does, in vain, given the first row's conditions where there are any: the errors
/// of that are known before a training then. Argument error where it is not finite.
void try_sampling(const Model& model, const Dataset& training);

/// Samples the model, measures it against the data and draws the page. Takes seconds.
Report make_report(const RunRecord& run, const ReportOptions& options = {});

}  // namespace fokker::report
