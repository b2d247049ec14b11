#include "fokker/core/log.h"

#include <mutex>
#include <set>

#include "fokker/core/messages.h"

namespace fokker {
namespace {

struct Log {
  std::mutex mutex;
  LogSink sink;
  std::set<std::string> said_once;
};

Log& process_log() {
  static Log& log = *new Log;  // never destroyed: threads may outlive main
  return log;
}

void say(LogLevel level, const std::string& text, bool once = false) {
  Log& log = process_log();
  const std::lock_guard lock(log.mutex);
  if (!log.sink || (once && !log.said_once.insert(text).second)) return;
  log.sink(level, text);
}

}  // namespace

void set_log_sink(LogSink sink) {
  Log& log = process_log();
  const std::lock_guard lock(log.mutex);
  log.sink = std::move(sink);
}

void detail::message(const std::string& text) {
  say(LogLevel::info, text);
}
void detail::warn(const std::string& text) {
  say(LogLevel::warning, text);
}
void detail::message_once(const std::string& text) {
  say(LogLevel::info, text, true);
}
void detail::warn_once(const std::string& text) {
  say(LogLevel::warning, text, true);
}

}  // namespace fokker
