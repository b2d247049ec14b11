#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace fokker {

/// How progress is shown on standard error.
enum class ProgressStyle {
  automatic,  ///< a bar where standard error is a terminal, a plain line every few seconds otherwise
  silent,
};

/// Reports the progress of a long job on standard error: rate, time left and a short status text.
class Progress {
 public:
  /// `total` counts units of work; zero means unknown.
  Progress(std::string label, int64_t total, ProgressStyle style = ProgressStyle::automatic);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Sets the units done and, where given, a status such as "loss 0.123". Cheap: prints only when due.
  void update(int64_t done, const std::string& status = {});
  /// Sets the fraction done where the end is a time and not a count.
  void update_fraction(double fraction, int64_t done, const std::string& status = {});
  /// Ends the line. Called by the destructor too.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void print(double fraction, bool last);
  std::string label_;
  int64_t total_;
  bool silent_;
  bool terminal_;
  bool finished_ = false;
  int64_t done_ = 0;
  double fraction_ = 0;
  std::string status_;
  Clock::time_point start_;
  Clock::time_point printed_;
};

/// One line of message on standard error, unless quiet.
void set_quiet(bool quiet);
bool quiet();
void message(const std::string& text);
/// A line that starts with "warning:"; shown even when quiet.
void warn(const std::string& text);
/// The same, unless that very line was written before: facts about an input that is read several times.
void message_once(const std::string& text);
void warn_once(const std::string& text);

}  // namespace fokker
