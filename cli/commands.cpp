#include "cli/option/command.h"

namespace fokker::cli {

void add_commands(CommandLine& line) {
  add_train(line);
  add_sample(line);
  add_impute(line);
  add_restore(line);
  add_score(line);
  add_simulate(line);
  add_likelihood(line);
  add_encode(line);
  add_decode(line);
  add_interpolate(line);
  add_evaluate(line);
  add_calibrate(line);
  add_import(line);
  add_export(line);
  add_launch(line);
  add_watch(line);
  add_inspect(line);
  add_doctor(line);
  add_plot(line);
  add_report(line);
  add_verify(line);
  add_gallery(line);
  add_exercise(line);
}

}  // namespace fokker::cli
