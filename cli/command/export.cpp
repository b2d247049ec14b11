#include "cli/option/command.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/format/exchange.h"

namespace fokker::cli {
namespace {

namespace fs = std::filesystem;

struct ExportCommandOptions {
  CommonOptions common;
  std::string run, out, format = "diffusers";
  bool overwrite = false;
};

/// What the folder holds is replaced, so that it must not be something else's.
void check_replaceable(const ExportCommandOptions& o) {
  const fs::path folder(o.out);
  check(!fs::exists(folder) || fs::is_directory(folder), "{}: expected a folder but it is a file", o.out);
  check(o.overwrite || !fs::exists(folder) || fs::is_empty(folder),
        "{}: is not empty; expected a new folder, or --overwrite to replace all of it", o.out);
  check(!fs::exists(folder / "fokker.json"), "{}: holds a run; expected another folder", o.out);
}

int run_export(const ExportCommandOptions& o) {
  const auto names = export_format_names();
  check(std::find(names.begin(), names.end(), o.format) != names.end(),
        "format: expected one of {} but received '{}'", join(names), o.format);
  check_replaceable(o);
  export_model(o.out, load_model(o.run), o.format);
  if (o.common.json) print_result(o.common, {{"run", o.run}, {"out", o.out}, {"format", o.format}}, "");
  message(fmt::format("exported {} to {} ({})", o.run, o.out, o.format));
  return 0;
}

std::string format_help() {
  std::string text = "One of:";
  for (const ExportFormat& format : export_formats())
    text += fmt::format(" {} ({})", format.name, format.summary);
  return text;
}

}  // namespace

void add_export(CommandLine& line) {
  add_command<ExportCommandOptions>(
      line, {"export", "Hand a trained model to another program", "fokker export run --out pipeline"},
      [](Command& c, ExportCommandOptions& o) {
        c.option("run", o.run, "Run folder of a trained model", Command::Need::required);
        c.option("--out", o.out, "Folder to write", Command::Need::required);
        c.option("--format", o.format, format_help());
        c.flag("--overwrite", o.overwrite, "Replace what is in --out already", Command::Saved::no);
      },
      [](const ExportCommandOptions& o, const Command&) { return run_export(o); });
}

}  // namespace fokker::cli
