#pragma once
#include "cli/run/train_setup.h"

namespace fokker::cli {

/// Refuses training options that would do nothing, and says what the data turned into something else.
void check_used(const TrainSettings& settings, const TrainingPlan& plan, const Command& command);

/// Does once, small and before the work, what belongs to it and follows it: the loss of a row, and a row
/// drawn as previews and the report do. Errors are those that would come then.
void rehearse_sampling(const TrainingPlan& plan, const TrainSettings& settings);

/// Saves the untrained model, as it would be saved, beside the run and removes it again. A resource error
/// says where there is less space than the run takes. Leaves a run that is there alone.
void rehearse_saving(const TrainingPlan& plan, const TrainSettings& settings, const Json& record);

}  // namespace fokker::cli
