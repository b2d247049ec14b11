#pragma once
#include "cli/run/train_setup.h"

namespace fokker::cli {

/// Refuses training options that would do nothing.
void check_used(const TrainSettings& settings, const TrainingPlan& plan, const Command& command);

/// Draws a row as previews and the report do. Errors are those that would come after the work.
void rehearse_pictures(const TrainingPlan& plan, const TrainSettings& settings);

}  // namespace fokker::cli
