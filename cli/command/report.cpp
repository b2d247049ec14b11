#include "cli/option/command.h"
#include "cli/run/run_report.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"

namespace fokker::cli {
namespace {

struct ReportCommandOptions {
  CommonOptions common;
  DataOptions reading;
  std::string run, out, data, labels;
};

int run_report(const ReportCommandOptions& o, const Command& command) {
  if (o.data.empty())
    command.refuse(data_option_names(),
                   "the data is read as in training; expected --data FILE to read another so");
  check(o.labels.empty() || !o.data.empty(), "labels: expected --data with the rows that they are of");
  const WrittenReport report = write_report({.run = o.run,
                                             .common = o.common,
                                             .out = o.out,
                                             .data_file = o.data,
                                             .labels = o.labels,
                                             .reading = o.reading});
  Json result = {{"run", o.run}, {"report", report.file}};
  for (const auto& [key, value] : report.summary.items()) result[key] = value;
  if (o.common.json) print_result(o.common, result, "");
  message(fmt::format("the report is in {}", report.file));
  return 0;
}

}  // namespace

void add_report(CommandLine& line) {
  add_command<ReportCommandOptions>(
      line,
      {"report", "Write a page about a run: samples beside data, losses, the flow from noise to data",
       "fokker report run\n  fokker report run --data moved/points.csv --out report.html"},
      [](Command& c, ReportCommandOptions& o) {
        c.option("run", o.run, "Run folder of a trained model", Command::Need::required);
        c.option("--out", o.out, "File to write (default: report.html in the run folder)");
        c.option("--data", o.data, "The file of the training, where it is no longer where the run says");
        c.option("--labels", o.labels, "File with a label, or a row of conditions, for each row of --data");
        describe_data(c, o.reading);
      },
      [](const ReportCommandOptions& o, const Command& command) { return run_report(o, command); });
}

}  // namespace fokker::cli
