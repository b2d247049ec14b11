#pragma once
#include "cli/run/train_setup.h"

namespace fokker::cli {

/// What is decided, without where and from what.
Json plan_json(const TrainingPlan& plan);

/// Says what was decided, and what may be meant otherwise.
void say_plan(const TrainingPlan& plan, const TrainSettings& settings);

}  // namespace fokker::cli
