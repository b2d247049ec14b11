#include "fokker/core/stop.h"

#include "fokker/core/check.h"

namespace fokker {
namespace {

thread_local const StopRequest* heeded = nullptr;

}  // namespace

StopScope::StopScope(const StopRequest* request) noexcept : before_(heeded) {
  heeded = request;
}
StopScope::~StopScope() {
  heeded = before_;
}

const StopRequest* current_stop_request() noexcept {
  return heeded;
}
bool stop_requested() noexcept {
  return heeded && heeded->made();
}
void check_stop() {
  if (stop_requested()) fail(ErrorKind::stopped, "stopped on request");
}

}  // namespace fokker
