#pragma once
#include "fokker/process/schedule.h"

namespace fokker {

std::shared_ptr<const ScheduleModel> make_model(const VarianceExploding& options);
std::shared_ptr<const ScheduleModel> make_model(const Brownian& options);
std::shared_ptr<const ScheduleModel> make_model(const Edm& options);
std::shared_ptr<const ScheduleModel> make_model(const Flow& options);

}  // namespace fokker
