#pragma once
#include <optional>

#include "cli/run/train_setup.h"
#include "fokker/report/report.h"

namespace fokker::cli {

struct ReportRequest {
  std::string run;  ///< the run folder
  CommonOptions common;
  std::string out = {};            ///< where empty, report.html in the run folder
  std::string data_file = {};      ///< in place of the file that the run names
  std::string labels = {};         ///< of its rows, where they are in a file of their own
  DataOptions reading = {};        ///< of that file; what is not given is as the run read its own
  std::optional<Split> data = {};  ///< where the rows are at hand
};

struct WrittenReport {
  std::string file;
  Json summary;
};

/// Makes the report of a run and writes it. Data that is gone or no longer fits is said in the page; a data
/// file that the caller names must be readable.
WrittenReport write_report(const ReportRequest& request);

}  // namespace fokker::cli
