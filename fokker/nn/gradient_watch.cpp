#include "fokker/nn/gradient_watch.h"

namespace fokker {

thread_local const GradientWatch* GradientWatch::current_ = nullptr;

}  // namespace fokker
