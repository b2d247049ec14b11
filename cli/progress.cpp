#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>

#include "fokker/core/log.h"

namespace fokker::cli {
namespace {

std::atomic<bool> is_quiet{false};

std::string duration(double seconds) {
  const int64_t s = std::llround(seconds);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double fraction) {
  constexpr int width = 24;
  const int full = std::clamp(static_cast<int>(fraction * width), 0, width);
  return std::string(static_cast<size_t>(full), '#') + std::string(static_cast<size_t>(width - full), '-');
}

}  // namespace

Progress::Progress(std::string label, int64_t total)
    : label_(std::move(label)),
      total_(total),
      silent_(quiet()),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      printed_(start_) {}

Progress::~Progress() {
  finish();
}

void Progress::update(int64_t done, const std::string& status) {
  update_fraction(total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : 0.0, done, status);
}

void Progress::update_fraction(double fraction, int64_t done, const std::string& status) {
  done_ = done;
  fraction_ = fraction;
  if (silent_) return;
  if (!status.empty()) status_ = status;
  const auto now = Clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(150) : std::chrono::milliseconds(5000);
  if (now - printed_ < interval) return;
  printed_ = now;
  print(fraction, false);
}

void Progress::print(double fraction, bool last) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  std::string line = label_;
  if (terminal_ && fraction > 0) line += fmt::format(" [{}]", bar(fraction));
  line += total_ > 0 ? fmt::format(" {}/{}", done_, total_) : fmt::format(" {}", done_);
  line += fmt::format("  {:.3g}/s", rate);
  if (!status_.empty()) line += "  " + status_;
  if (last)
    line += "  in " + duration(elapsed);
  else if (fraction > 0)
    line += "  left " + duration(elapsed * (1 - fraction) / fraction);
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  if (!silent_ && done_ > 0) print(fraction_, true);
}

void show_messages(bool quiet) {
  is_quiet = quiet;
  set_log_sink([quiet](LogLevel level, std::string_view text) {
    const bool warning = level == LogLevel::warning;
    if (quiet && !warning) return;
    std::fprintf(stderr, "%s%.*s\n", warning ? "warning: " : "", static_cast<int>(text.size()), text.data());
  });
}
void be_silent() {
  is_quiet = true;
  set_log_sink({});
}
bool quiet() {
  return is_quiet;
}

}  // namespace fokker::cli
