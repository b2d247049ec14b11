#include "cli/option/command.h"
#include "cli/output.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/format/exchange.h"
#include "fokker/train/run_folder.h"

namespace fokker::cli {
namespace {

struct ImportCommandOptions {
  CommonOptions common;
  ImportOptions told;
  std::string path, out;
  bool overwrite = false;
};

/// What is read, one line each, for the help.
std::string imported_kinds() {
  std::vector<std::string> kinds;
  kinds.reserve(import_formats().size());
  for (const ImportFormat& format : import_formats()) kinds.push_back(format.summary);
  return join(kinds);
}

/// Whether a format heeds the option: others are not offered.
bool is_offered(const std::string& option) {
  const auto& formats = import_formats();
  return std::any_of(formats.begin(), formats.end(), [&](const ImportFormat& format) {
    return std::find(format.options.begin(), format.options.end(), option) != format.options.end();
  });
}

/// Everything of the run that was there: its metrics and checkpoints are another model's.
void remove_run(const RunFolder& folder) {
  for (const std::string& part : RunFolder::parts()) std::filesystem::remove_all(folder.path() / part);
}

int run_import(const ImportCommandOptions& o) {
  const RunFolder folder(o.out);
  folder.check_usable(/*resume=*/false, o.overwrite);
  const Imported imported = import_model(o.path, o.told);
  for (const std::string& note : imported.notes) message(note);
  const Model& model = imported.model;
  if (o.overwrite) remove_run(folder);
  folder.create();
  save_model(o.out, model);
  Json result = {{"run", o.out},
                 {"parameters", model.network->parameter_count()},
                 {"tensors", std::ssize(model.network->parameters())},
                 {"event_shape", model.event_shape()},
                 {"classes", model.network->classes()},
                 {"process", model.spec.process.schedule()->config()["type"]},
                 {"prediction", model.spec.name()},
                 {"notes", imported.notes}};
  result.update(model.sampling.to_json());
  if (o.common.json) print_result(o.common, result, "");
  if (!model.sampling.sampler.empty())
    message(fmt::format("sampled by {} on the grid {} unless told otherwise", model.sampling.sampler,
                        model.sampling.grid.empty() ? "that suits it" : model.sampling.grid));
  message(fmt::format("imported {} tensors, {} parameters; the model is in {}",
                      std::ssize(model.network->parameters()), model.network->parameter_count(), o.out));
  return 0;
}

void describe_import(Command& c, ImportCommandOptions& o) {
  c.option("path", o.path, "What is read: " + imported_kinds(), Command::Need::required);
  c.option("--out", o.out, "Run folder to write", Command::Need::required);
  if (is_offered("key")) c.option("--key", o.told.key, "Where the weights are in a nested checkpoint");
  if (is_offered("mlp"))
    c.option("--mlp", o.told.mlp, "Layers of a fully connected network: \"2-256-256-1,elu,input=x+t\"");
  if (is_offered("process"))
    c.option("--process", o.told.process, "Process that it was trained on, where its files do not say it");
  if (is_offered("predict"))
    c.option("--predict", o.told.predict, "What the network predicts, where its files do not say it");
  if (is_offered("unconditional"))
    c.option(
        "--unconditional", o.told.unconditional,
        "The class that stands for none, by its number: then a label may be left out, and guidance works");
  c.flag("--overwrite", o.overwrite, "Replace a run that is in --out already", Command::Saved::no);
}

}  // namespace

void add_import(CommandLine& line) {
  add_command<ImportCommandOptions>(
      line,
      {"import", "Make a run of a model that another program has trained",
       "fokker import ddpm-cifar10-32 --out run\n  fokker sample run --n 16 --out samples.png"},
      describe_import, [](const ImportCommandOptions& o, const Command&) { return run_import(o); });
}

}  // namespace fokker::cli
