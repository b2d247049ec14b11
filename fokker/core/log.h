#pragma once
#include <functional>
#include <string_view>

namespace fokker {

enum class LogLevel {
  info,     ///< what was decided or found
  warning,  ///< the result may not be what was meant
};

/// Receives one line of text, without its end and without a word for its level.
using LogSink = std::function<void(LogLevel level, std::string_view text)>;

/// Where the library's lines go from now on, in every thread. An empty sink, as a program starts with, drops
/// them: the library never writes to the standard streams by itself. Lines come from whichever thread has
/// something to say, one at a time; a sink must not call set_log_sink.
void set_log_sink(LogSink sink);

}  // namespace fokker
