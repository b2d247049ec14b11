// fokker impute: fills the missing cells of a table.
#include "cli/denoiser_source.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/told_rows.h"
#include "fokker/condition/operator/operators.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/line_writer.h"
#include "fokker/train/impute_numbers.h"

namespace fokker::cli {
namespace {

struct ImputeOptions {
  CommonOptions common;
  DataOptions reading;
  std::string run, data, out;
  std::string method;
  std::vector<std::string> given;
  int64_t draws = 1, steps = 0, batch = 0;
};

void describe_impute(Command& c, ImputeOptions& o) {
  c.option("run", o.run, "Run folder of a model of a table", Command::Need::required);
  c.heading("Rows");
  c.option("--data", o.data,
           "CSV file with the model's columns, found by name. Missing are empty cells, what the schema calls "
           "missing (of plain numbers NA and the like), and columns that it has not; other columns are kept "
           "as they are",
           Command::Need::required);
  describe_data(c, o.reading);
  c.option("--given", o.given,
           "COLUMN=NUMBER for all rows, of a column that the model was trained with as --condition and that "
           "the file has not");
  c.heading("Output");
  c.option("--out", o.out, "CSV file to write: known cells as they were", Command::Need::required);
  c.option(
      "--draws", o.draws,
      "Independent draws; more than 1 are written one whole table after another, with a first column 'draw' "
      "from 0 on");
  c.heading("Method");
  c.option(
      "--method", o.method,
      "Of a model of plain numbers, which learned no conditional laws: mmps (the usual one), ddnm, pigdm, "
      "replacement or gibbs, as fokker restore has them");
  c.option("--steps", o.steps, "Number of steps; 0 takes 30, of plain numbers 100");
  c.option("--batch", o.batch, "Rows sampled together; 0 chooses");
}

void check_options(const ImputeOptions& o, const Command& command) {
  check(o.draws > 0, "draws: expected draws > 0 but received {}", o.draws);
  check(o.steps >= 0, "steps: expected steps > 0 but received {}", o.steps);
  check(o.batch >= 0, "batch: expected batch > 0 but received {}", o.batch);
  command.refuse({"columns", "channels", "size", "flip"},
                 "the model's columns are read, and all are written");
  check(o.out.ends_with(".csv"), "{}: expected an output that ends in .csv", o.out);
  check_folder_of(o.out);
}

/// A file's cells that are known by the model's schema.
KnownCells known_of(const TextTable& table, const Schema& schema) {
  return read_known_cells(table, schema, /*accept_missing=*/true,
                          [&](const CellPlace& cell) -> std::optional<double> {
                            const auto value = cell.parser.parse(table.cell(cell.row, cell.at));
                            if (!value) refuse_cell(table, cell);
                            return std::isnan(*value) ? std::nullopt : value;
                          });
}

/// With what known cells say of columns that they determine.
KnownCells completed(const TextTable& table, const TableMap& map, const KnownCells& known) {
  KnownCells all{known.cells.clone(), known.known.clone()};
  bool twins = false;
  for (int64_t j = 0; j < map.schema().size(); ++j) twins = twins || map.twin_of(j) >= 0;
  for (int64_t row = 0; twins && row < table.rows(); ++row) {
    Tensor cells = all.cells.narrow(0, row, 1), is_known = all.known.narrow(0, row, 1);
    try {
      map.complete(cells, is_known);
    } catch (const Error& error) {
      fail(ErrorKind::input, "{}: line {}: {}", table.file(), table.line(row), error.what());
    }
  }
  return all;
}

/// Refuses a method that cannot take exact measurements, before a file is read.
void check_takes_exact(const PosteriorSampler& method) {
  const auto all = std::make_shared<MaskOperator>(at::ones({1}, at::kBool));
  method.check_measurement(LinearMeasurement(all, at::zeros({1, 1}), 0));
}

/// What was read that a reader should know of.
void say_doubts(const TextTable& table, const Schema& schema, const KnownCells& known, bool ranges) {
  const auto places = table.places_of(schema);
  for (int64_t j = 0; j < schema.size(); ++j) {
    const Column& column = schema.columns[static_cast<size_t>(j)];
    if (places[static_cast<size_t>(j)] < 0)
      message(
          fmt::format("{}: it has no column '{}': all of it is filled", table.file(), shown(column.name)));
    if (!column.is_number() || !ranges) continue;
    const Tensor cells = known.cells.select(1, j);
    const auto beyond =
        (((cells < column.low) | (cells > column.high)) & known.known.select(1, j)).sum().item<int64_t>();
    if (beyond > 0)
      warn(fmt::format(
          "{}: column '{}': {} known cells lie outside those of the training, from {} to {}, where "
          "nothing was learned: others are drawn as beside the nearest of these",
          table.file(), shown(column.name), beyond, cell_text(column, column.low),
          cell_text(column, column.high)));
  }
}

/// The filled table as text.
class FilledTable {
 public:
  FilledTable(const TextTable& table, const Schema& schema, const KnownCells& known, const Imputation& filled)
      : table_(table), schema_(schema), known_(known.known), places_(table.places_of(schema)) {
    cells_ = filled.cells.contiguous();
    is_filled_ = filled.filled.contiguous();
    for (const Column& column : schema.columns)
      writers_.emplace_back(column, table.format().decimal.value_or('.'));
    column_of_.assign(table.columns().size(), -1);
    for (size_t j = 0; j < places_.size(); ++j)
      if (places_[j] >= 0)
        column_of_[static_cast<size_t>(places_[j])] = static_cast<int64_t>(j);
      else
        absent_.push_back(static_cast<int64_t>(j));
  }

  void write(const std::string& file) const {
    const int64_t draws = cells_.size(0);
    write_atomically(file, [&](const std::filesystem::path& temporary) {
      FileWriter out(temporary, file);
      LineWriter lines(table_.format());
      const auto flush = [&](size_t least) {
        if (lines.text().size() < least) return;
        out.write(encoded(lines.text(), table_.format().encoding));
        lines.clear();
      };
      add_header(lines, draws > 1);
      for (int64_t draw = 0; draw < draws; ++draw)
        for (int64_t row = 0; row < table_.rows(); ++row) {
          add_row(lines, draw, row);
          flush(1 << 20);
        }
      flush(0);
      out.close();
    });
  }

 private:
  void add_header(LineWriter& lines, bool with_draw) const {
    if (!table_.format().header.value_or(true)) return;
    if (with_draw) lines.add("draw");
    for (const std::string& name : table_.columns()) lines.add(name);
    for (const int64_t j : absent_) lines.add(schema_.columns[static_cast<size_t>(j)].name);
    lines.end_line();
  }
  std::string drawn(int64_t draw, int64_t row, int64_t j) const {
    std::string text;
    writers_[static_cast<size_t>(j)].append(
        text, cells_.data_ptr<double>()[(draw * table_.rows() + row) * schema_.size() + j]);
    return text;
  }
  void add_row(LineWriter& lines, int64_t draw, int64_t row) const {
    if (cells_.size(0) > 1) lines.add(std::to_string(draw));
    const bool filled = is_filled_.data_ptr<bool>()[row];
    for (int64_t at = 0; at < std::ssize(table_.columns()); ++at) {
      const int64_t j = column_of_[static_cast<size_t>(at)];
      const bool as_it_was = j < 0 || !filled || known_.data_ptr<bool>()[row * schema_.size() + j];
      lines.add(as_it_was ? std::string(table_.cell(row, at)) : drawn(draw, row, j));
    }
    for (const int64_t j : absent_) lines.add(filled ? drawn(draw, row, j) : "");
    lines.end_line();
  }

  const TextTable& table_;
  const Schema& schema_;
  Tensor known_, cells_, is_filled_;
  std::vector<int64_t> places_, column_of_, absent_;
  std::vector<CellWriter> writers_;
};

/// The lines of rows that could not be filled, having said which and why.
std::vector<int64_t> say_unfilled(const TextTable& table, const Imputation& filled) {
  constexpr size_t most = 10;
  std::vector<int64_t> lines;
  for (int64_t row = 0; row < table.rows(); ++row)
    if (!filled.filled.data_ptr<bool>()[row]) lines.push_back(table.line(row));
  if (lines.empty()) return lines;
  std::string text;
  for (size_t i = 0; i < std::min(most, lines.size()); ++i)
    text += fmt::format("{}{}", i ? ", " : "", lines[i]);
  warn(fmt::format(
      "{}: {} rows are left as they were, as fewer than 1 in 200 draws have no missing cell beside what "
      "is known of them: line{} {}{}",
      table.file(), lines.size(), lines.size() > 1 ? "s" : "", text, lines.size() > most ? ", ..." : ""));
  return lines;
}

/// What a table is filled by: its network's own conditional laws, or, of plain numbers, a posterior sampler.
Imputation fill(const ImputeOptions& o, const TextTable& table, const Model& model, const KnownCells& known) {
  const auto labels = told_labels(table, model);
  const Tensor conditions = told_conditions(table, model, o.given);
  check_conditions_known(table, model, known);
  Progress progress("imputing", known.known.all(1).logical_not().sum().item<int64_t>() * o.draws);
  const auto seen = [&](int64_t kept) { progress.update(kept); };
  const Rng rng(o.common.seed);
  Imputation filled;
  if (model.table) {
    fokker::SampleOptions options{.steps = o.steps > 0 ? o.steps : 30, .batch = o.batch};
    options.labels = labels;
    filled = impute(model, completed(table, *model.table, known), o.draws, rng, options, seen);
  } else {
    const auto method = make_posterior_sampler(o.method.empty() ? "mmps" : o.method);
    filled = impute_numbers(model, known, o.draws, *method, rng,
                            {.steps = o.steps > 0 ? o.steps : 100,
                             .batch = o.batch,
                             .labels = labels,
                             .conditions = conditions,
                             .progress = seen});
  }
  progress.finish();
  return filled;
}

/// The model's schema; of plain numbers one of real columns, drawn ones in seven digits, as float32 has them.
Schema schema_of(const Model& model) {
  if (model.table) return model.table->schema();
  Schema schema;
  for (const std::string& name : model.columns) schema.columns.push_back({.name = name, .digits = 7});
  return schema;
}

int run_impute(const ImputeOptions& o, const Command& command) {
  check_options(o, command);
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const Model& model = *source.model;
  check(!model.is_image(), "{}: it was trained on images; fokker restore fills their hidden parts", o.run);
  check(!model.table || o.method.empty(),
        "method: {} learned every column given others and needs none; it is for models of plain numbers",
        o.run);
  if (!o.method.empty()) check_takes_exact(*make_posterior_sampler(o.method));
  const TextTable table(o.data, o.reading.load_options().csv);
  const Schema schema = schema_of(model);
  check_input(o.draws == 1 ||
                  std::find(table.columns().begin(), table.columns().end(), "draw") == table.columns().end(),
              "{}: it has a column 'draw', as --draws is to write: rename it", o.data);
  const KnownCells known = known_of(table, schema);
  say_doubts(table, schema, known, /*ranges=*/model.table != nullptr);
  const Imputation filled = fill(o, table, model, known);
  FilledTable(table, schema, known, filled).write(o.out);
  const auto lines = say_unfilled(table, filled);
  const int64_t cells = (known.known.logical_not() & filled.filled.unsqueeze(1)).sum().item<int64_t>();
  const Json json = {{"n", table.rows()},    {"draws", o.draws},      {"filled_cells", cells},
                     {"unfilled", lines},    {"drawn", filled.drawn}, {"out", o.out},
                     {"seed", o.common.seed}};
  const auto open = known.known.all(1).logical_not().sum().item<int64_t>();
  print_result(o.common, json,
               fmt::format("filled {} cells of {} rows, {} draws of each\n", cells, open - std::ssize(lines),
                           o.draws));
  message(fmt::format("wrote {} rows to {}", table.rows() * o.draws, o.out));
  return 0;
}

}  // namespace

void add_impute(CommandLine& line) {
  add_command<ImputeOptions>(line,
                             {"impute", "Fill the missing cells of a table, given those that are known",
                              "fokker impute run --data with-gaps.csv --out filled.csv --draws 5"},
                             describe_impute, run_impute);
}

}  // namespace fokker::cli
