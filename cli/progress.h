#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace fokker::cli {

/// Reports the progress of a long job on standard error: rate, time left and a short status text. A bar where
/// standard error is a terminal, a plain line every few seconds otherwise; nothing where quiet.
class Progress {
 public:
  /// `total` counts units of work; zero means unknown.
  Progress(std::string label, int64_t total);
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

/// Writes the library's lines, and those of the commands, to standard error: "warning: ..." always, the
/// others unless quiet. Quiet commands show no progress either.
void show_messages(bool quiet);
bool quiet();
/// Not even warnings.
void be_silent();

}  // namespace fokker::cli
