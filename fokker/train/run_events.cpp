#include "fokker/train/run_events.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"

namespace fokker {
namespace {

/// A number of 4 bytes, the highest first.
int64_t big_endian(std::string_view bytes) {
  int64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

RunEvents::RunEvents(const std::filesystem::path& folder, const Trainer& trainer) try
    : trainer_(trainer), file_(folder, trainer.step() + 1) {
} catch (...) {
  detail::throw_as_error();
}

void RunEvents::add(const TrainMetrics& metrics) try {
  const int64_t step = metrics.step;
  file_.scalar(step, "loss/training", metrics.loss);
  file_.scalar(step, "learning_rate", metrics.learning_rate);
  file_.scalar(step, "gradient_norm", metrics.gradient_norm);
  file_.scalar(step, "rows_per_second", metrics.rows_per_second);
  if (metrics.spikes > 0) file_.scalar(step, "incidents/spikes", static_cast<double>(metrics.spikes));
  if (metrics.skipped > 0) file_.scalar(step, "incidents/skipped", static_cast<double>(metrics.skipped));
  if (metrics.rewinds > 0) file_.scalar(step, "incidents/rewinds", static_cast<double>(metrics.rewinds));
  if (!metrics.held_out_loss) return;
  file_.scalar(step, "loss/held_out", *metrics.held_out_loss);
  const LossOverTime over = trainer_.held_out_loss_over_time();
  if (!over.losses.empty()) file_.histogram(step, "loss/over_t", {over.edges, over.losses});
} catch (...) {
  detail::throw_as_error();
}

void RunEvents::add_picture(int64_t step, const std::string& tag, const std::filesystem::path& png) try {
  // The signature, then the chunk IHDR: length, name, width, height (PNG, ISO/IEC 15948).
  constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
  const std::string bytes = read_file(png);
  check_input(bytes.starts_with(signature) && bytes.size() > 24 && bytes.compare(12, 4, "IHDR") == 0,
              "{}: expected a PNG", png.string());
  const std::string_view text = bytes;
  file_.png(step, tag, big_endian(text.substr(16, 4)), big_endian(text.substr(20, 4)), bytes);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
