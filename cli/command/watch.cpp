#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/option/command.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/train/run_status.h"

namespace fokker::cli {
namespace {

namespace fs = std::filesystem;

struct WatchOptions {
  CommonOptions common;
  std::string run;
  bool once = false;
};

constexpr auto watch_interval = std::chrono::milliseconds(500);
constexpr int64_t tail_bytes = 1 << 16;

/// The last lines of a file that another process adds to, and may write anew: those that are whole.
std::vector<Json> last_lines(const fs::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in.good()) return {};
  const int64_t size = in.tellg(), first = std::max<int64_t>(0, size - tail_bytes);
  in.seekg(first);
  std::vector<Json> lines;
  std::string line;
  if (first > 0) std::getline(in, line);  // the rest of one
  while (std::getline(in, line) && !in.eof()) {
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer())
      lines.push_back(std::move(json));
  }
  return lines;
}

double number_in(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
}

std::string time_text(double seconds) {
  const int64_t s = std::llround(seconds);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

/// What is known of a run so far.
class Watched {
 public:
  explicit Watched(fs::path run) : run_(std::move(run)) {}

  /// Reads what is new; returns the lines that were not there before.
  std::vector<Json> look() {
    status_ = read_status(run_);
    std::vector<Json> fresh;
    const std::vector<Json> lines = last_lines(run_ / "metrics.jsonl");
    // A run that went back, or was begun anew, makes its lines again.
    if (!lines.empty() && lines.back()["step"].get<int64_t>() < shown_) shown_ = 0;
    for (const Json& line : lines) {
      if (line.contains("held_out_loss")) held_out_ = number_in(line, "held_out_loss");
      if (line["step"].get<int64_t>() <= shown_) continue;
      shown_ = line["step"].get<int64_t>();
      note_rate(line);
      fresh.push_back(line);
    }
    if (!lines.empty()) last_ = lines.back();
    return fresh;
  }
  bool running() const { return status_ && is_running(run_, *status_); }
  bool any() const { return !last_.is_null(); }
  /// "running", how it ended, or that its process is gone.
  std::string state() const {
    if (!status_) return "unknown";
    return status_->state == "running" && !running() ? "killed" : status_->state;
  }

  /// Seconds left; nothing where the end or the speed is not known.
  std::optional<double> left() const {
    if (!status_ || !any()) return {};
    if (status_->minutes > 0) return std::max(0.0, 60 * status_->minutes - number_in(last_, "seconds"));
    if (steps_per_second_ <= 0) return {};
    return std::max(0.0,
                    (static_cast<double>(status_->steps) - number_in(last_, "step")) / steps_per_second_);
  }
  std::string text(const Json& line) const {
    const bool counted = status_ && status_->minutes <= 0 && status_->steps > 0;
    std::string text = fmt::format("step {}", line["step"].get<int64_t>());
    if (counted) text += fmt::format("/{}", status_->steps);
    text += fmt::format("  loss {:.4f}", number_in(line, "loss"));
    if (held_out_) text += fmt::format("  held out {:.4f}", *held_out_);
    text += fmt::format("  rate {:.2g}  {:.3g} rows/s", number_in(line, "learning_rate"),
                        number_in(line, "rows_per_second"));
    if (const auto seconds = left(); seconds && running()) text += "  left " + time_text(*seconds);
    for (const char* key : {"spikes", "skipped", "rewinds"})
      if (line.contains(key)) text += fmt::format("  {} {}", key, number_in(line, key));
    return text;
  }
  Json json() const {
    Json json = {{"run", run_.string()}, {"state", state()}};
    if (status_) json["steps"] = status_->steps;
    if (any()) json["last"] = last_;
    if (held_out_) json["held_out_loss"] = *held_out_;
    if (const auto seconds = left(); seconds && running()) json["seconds_left"] = *seconds;
    return json;
  }
  const Json& last() const { return last_; }

 private:
  void note_rate(const Json& line) {
    const double step = number_in(line, "step"), seconds = number_in(line, "seconds");
    if (step > rate_step_ && seconds > rate_seconds_)
      steps_per_second_ = (step - rate_step_) / (seconds - rate_seconds_);
    rate_step_ = step;
    rate_seconds_ = seconds;
  }

  fs::path run_;
  std::optional<RunStatus> status_;
  Json last_;
  std::optional<double> held_out_;
  int64_t shown_ = 0;
  double rate_step_ = 0, rate_seconds_ = 0, steps_per_second_ = 0;
};

/// One line that is written over where there is a terminal, else a line for each of the run's.
void show(const Watched& run, const std::vector<Json>& fresh, bool terminal) {
  if (terminal && run.any())
    std::printf("\r\033[K%s", run.text(run.last()).c_str());
  else
    for (const Json& line : fresh) std::printf("%s\n", run.text(line).c_str());
  std::fflush(stdout);
}

int run_watch(const WatchOptions& o, const Command&) {
  const fs::path folder(o.run);
  check_input(fs::is_directory(folder), "{}: expected a run folder to watch", o.run);
  Watched run(folder);
  std::vector<Json> fresh = run.look();
  check_input(run.any() || run.state() != "unknown",
              "{}: not a run folder: it has no metrics.jsonl and no status.json", o.run);
  if (o.once) {
    print_result(
        o.common, run.json(),
        (run.any() ? run.text(run.last()) : std::string("no step is done yet")) + "  " + run.state() + "\n");
    return 0;
  }
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && !o.common.json;
  while (true) {
    if (!o.common.json) show(run, fresh, terminal);
    if (!run.running()) break;
    std::this_thread::sleep_for(watch_interval);
    check_stop();
    fresh = run.look();
  }
  fresh = run.look();
  if (!o.common.json) show(run, fresh, terminal);
  if (terminal) std::printf("\n");
  if (o.common.json) print_result(o.common, run.json(), "");
  message("the run has ended: " + run.state());
  return run.state() == "failed" || run.state() == "killed" || run.state() == "diverged" ? 1 : 0;
}

}  // namespace

void add_watch(CommandLine& line) {
  add_command<WatchOptions>(
      line,
      {"watch", "Follow the training of a run in another process",
       "fokker watch run\n  fokker watch run --once --json"},
      [](Command& c, WatchOptions& o) {
        c.option("path", o.run, "Run folder", Command::Need::required);
        c.flag("--once", o.once, "Look once and end", Command::Saved::no);
      },
      run_watch);
}

}  // namespace fokker::cli
