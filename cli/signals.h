#pragma once
#include "fokker/core/stop.h"

namespace fokker::cli {

/// Makes SIGINT and SIGTERM a request to stop, which is returned. Where the process has not ended a second
/// after the first signal, or at a second one, it ends at once with 128 + the signal's number, and what it
/// was writing is removed. To be called once, before other threads are started.
const StopRequest& heed_signals();

/// The signal that asked the program to stop, or 0.
int caught_signal();
/// 128 and its number: SIGTERM's where another process of this run was asked.
int stopped_code();
/// "SIGINT" or "SIGTERM".
const char* caught_signal_name();

/// The request of the signals, for work within an OrderlyEnd that may be left out.
const StopRequest& signal_request();
/// Made a second after the first signal where the process has not ended: for what an OrderlyEnd would wait
/// for, such as a training step that takes long.
const StopRequest& impatient_request();

/// While it lives, the first signal ends nothing by itself: the work asks caught_signal and comes to an end
/// in its own way, however long that takes. A second one still ends the process at once.
class OrderlyEnd {
 public:
  OrderlyEnd();
  ~OrderlyEnd();

 private:
  StopScope no_request_;
};

}  // namespace fokker::cli
