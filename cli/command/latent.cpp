#include <cmath>

#include "cli/denoiser_source.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/shared_rows.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/numbers.h"
#include "fokker/data/file_rows.h"
#include "fokker/data/load.h"
#include "fokker/sample/flow_map.h"

namespace fokker::cli {
namespace {

struct LatentOptions : SourceOptions {
  CommonOptions common;
  WritingOptions writing;
  std::string data, out;
  std::vector<std::string> rows;
  double rtol = 1e-6, atol = 1e-6, timeout = usual_rank_timeout;
  int64_t batch = 0, frames = 9;
};

void describe_latent(Command& c, LatentOptions& o, const std::string& data) {
  describe_source(c, o);
  c.heading("Rows");
  c.option("--data", o.data, data, Command::Need::required);
  c.option("--out", o.out, "Output file: .npy, .csv or .png", Command::Need::required);
  describe_writing(c, o.writing);
  c.heading("Method");
  c.option("--rtol", o.rtol, "Relative tolerance of the ODE");
  c.option("--atol", o.atol, "Absolute tolerance of the ODE");
  c.option("--batch", o.batch, "Rows carried together; 0 chooses");
}

enum class Direction { encode, decode };

void check_writing(const LatentOptions& o, const Ranks& ranks) {
  ranks.on_root([&] { check_output(o.out); });
  o.writing.or_else({});  // refuses
}

/// The flow between data and latents of the prior, block by block.
FlowMap carry(const LatentOptions& o, const DenoiserSource& source, const Tensor& x, Direction direction,
              const Tensor& labels, const Ranks& ranks = {}) {
  const bool encoding = direction == Direction::encode;
  const DormandPrince::Options tolerance{.rtol = o.rtol, .atol = o.atol};
  const auto [carried, evaluations] =
      map_blocks<2>(ranks, encoding ? "encoding" : "decoding", x,
                    {.block = o.batch, .images = 32, .points = 1024}, [&](const Tensor& rows, int64_t first) {
                      const Tensor label = label_rows(labels, first, rows.size(0), source.type);
                      const FlowMap part = encoding ? encode(*source.denoiser, rows, tolerance, label)
                                                    : decode(*source.denoiser, rows, tolerance, label);
                      return std::array{part.x, at::full({1}, part.evaluations, at::kLong)};
                    });
  FlowMap all;
  all.x = carried.to(x.device());
  all.evaluations = evaluations.max().item<int64_t>();
  return all;
}

/// Of b, or of one unit where b is at its origin, as rows that are all equal are once they are standardised.
/// In float64, whose range holds the squares of far rows.
double relative_error(const Tensor& a, const Tensor& b) {
  const Tensor there = b.to(at::kDouble);
  const double size = there.norm().item<double>();
  const double unit = std::sqrt(static_cast<double>(there.numel()));
  return (a.to(at::kDouble) - there).norm().item<double>() / (size > 0 ? size : unit);
}

int finish(const LatentOptions& o, Dataset rows, Json json) {
  rows.format = o.writing.or_else(rows.format);
  write_samples(o.out, rows);
  json["n"] = rows.size();
  json["out"] = o.out;
  std::string text;
  if (json.contains("round_trip_error"))
    text = fmt::format("round trip: relative error {:.3g}\n", json["round_trip_error"].get<double>());
  print_result(o.common, json, text);
  message(fmt::format("wrote {} rows to {}", rows.size(), o.out));
  return 0;
}

/// Whether latents stand beside the columns that the model is conditioned on.
bool has_columns(const DenoiserSource& source) {
  return source.model && source.model->condition.scale && !source.model->condition.places.empty();
}

/// Of a conditioned model the conditions of each row come after its latents, under their own names.
std::vector<std::string> latent_names(const DenoiserSource& source) {
  if (!has_columns(source)) return default_column_names(source.dimension());
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.dimension(); ++i) names.push_back(fmt::format("latent_{}", i));
  const auto& conditions = source.model->condition.columns;
  names.insert(names.end(), conditions.begin(), conditions.end());
  return names;
}

/// Rows of a file in the denoiser's space, and what it is told of them.
struct Rows {
  Tensor x, label, conditions;
};

Rows load_rows_of(const LatentOptions& o, const DenoiserSource& source, const Ranks& ranks = {}) {
  // Latents are those of a row without a label, but of a network that knows no such rows.
  const bool told = source.model && !source.model->network->knows_no_label();
  const Dataset data = load_matching(o.data, source, told ? LabelUse::used : LabelUse::left_out);
  check_same_input(ranks, o.data, data, &source);
  const Tensor x = source.to_model(data.values);
  name_rows_of(o.data, [&] { check_range(x, source); });
  return {x, source.labels_of(data), data.conditions};
}

/// The source of rows that have latents of their own.
DenoiserSource open_source(const LatentOptions& o) {
  DenoiserSource source = open_denoiser(o.common, o);
  check(source.given_columns().empty(),
        "{}: the latents of a table with a schema do not hold the cells that it is given, {}; expected a "
        "model of "
        "plain numbers, or one trained without --condition",
        o.run, source.model ? list_columns(source.model->condition.columns) : "");
  return source;
}

int run_encode(const LatentOptions& o) {
  const Ranks ranks = join_ranks(o.timeout);
  check_writing(o, ranks);
  const DenoiserSource source = open_source(o);
  check_output_holds(o.out, source.event);
  const Rows rows = load_rows_of(o, source, ranks);
  const Tensor& x = rows.x;
  const auto [latent, back] = name_rows_of(o.data, [&] {
    FlowMap there = carry(o, source, x, Direction::encode, rows.label, ranks);
    FlowMap again = carry(o, source, there.x, Direction::decode, rows.label, ranks);
    return std::pair(std::move(there), std::move(again));
  });
  if (!ranks.root()) return 0;
  Dataset written{.values = latent.x.cpu(), .columns = latent_names(source)};
  if (has_columns(source) && rows.conditions.defined())
    written.values = at::cat({written.values.to(at::kDouble), rows.conditions}, 1);
  return finish(o, written,
                {{"evaluations", latent.evaluations}, {"round_trip_error", relative_error(back.x, x)}});
}

/// Latents are in the denoiser's own space: rows of N(0, I) times the prior's deviation.
Rows load_latents(const LatentOptions& o, const DenoiserSource& source, const Ranks& ranks) {
  Dataset data = load_columns(o.data, {.owner = "a file of latents", .names = latent_names(source)}, {},
                              LabelUse::left_out);
  if (has_columns(source)) data = take_conditions(std::move(data), source.model->condition.columns);
  check_same_input(ranks, o.data, data, &source);
  check_input(data.event_shape() == source.event, "{}: expected latents of shape {} but it has {}", o.data,
              shape_string(source.event), shape_string(data.event_shape()));
  check_input(data.values.is_floating_point(), "{}: expected latents as floating-point numbers", o.data);
  check_range(data.values, source);
  return {data.values.to(source.type), source.labels_of(data), data.conditions};
}

int run_decode(const LatentOptions& o) {
  const Ranks ranks = join_ranks(o.timeout);
  check_writing(o, ranks);
  const DenoiserSource source = open_source(o);
  check_output_holds(o.out, source.row_shape());
  Tensor conditions;
  const FlowMap decoded = name_rows_of(o.data, [&] {
    const Rows latents = load_latents(o, source, ranks);
    conditions = latents.conditions;
    return carry(o, source, latents.x, Direction::decode, latents.label, ranks);
  });
  if (!ranks.root()) return 0;
  return finish(o, source.to_user_rows(decoded.x, conditions), {{"evaluations", decoded.evaluations}});
}

/// "I,J": two rows of the file.
std::pair<int64_t, int64_t> chosen_rows(const LatentOptions& o, int64_t count) {
  check(o.rows.size() == 2, "rows: expected two row numbers I,J but received {}", o.rows.size());
  const auto index = [&](const std::string& text) { return parse_integer("rows", text, 0, count - 1); };
  return {index(o.rows[0]), index(o.rows[1])};
}

/// Conditions in equal steps from one row's to the other's, (frames, k); undefined where there are none.
Tensor between(const Tensor& conditions, const Tensor& rows, int64_t frames) {
  if (!conditions.defined()) return {};
  const Tensor ends = conditions.index_select(0, rows.to(conditions.device()));
  const Tensor u = at::linspace(0, 1, frames, ends.options()).unsqueeze(1);
  return ends[0].unsqueeze(0) * (1 - u) + ends[1].unsqueeze(0) * u;
}

int run_interpolate(const LatentOptions& o) {
  constexpr int64_t most_frames = 1'000'000;
  check(o.frames >= 2 && o.frames <= most_frames, "frames: expected at least 2, at most {}, but received {}",
        most_frames, o.frames);
  check_writing(o, {});
  const DenoiserSource source = open_source(o);
  check_output_holds(o.out, source.row_shape());
  const Rows rows = load_rows_of(o, source);
  const Tensor& x = rows.x;
  const auto [i, j] = chosen_rows(o, x.size(0));
  const Tensor two = at::tensor({i, j}, at::kLong);
  const FlowMap ends = name_rows_of(o.data, [&, i = i, j = j] {
    try {
      return carry(o, source, x.index_select(0, two.to(x.device())), Direction::encode,
                   rows.label.defined() ? rows.label.index_select(0, two.to(x.device())) : Tensor());
    } catch (const RowError& error) {
      throw RowError(error.kind(), error.row() == 0 ? i : j, error.reason());
    }
  });
  const Tensor walk = great_circle(ends.x[0], ends.x[1], o.frames);
  const Tensor label = between(rows.label, two, o.frames),
               conditions = between(rows.conditions, two, o.frames);
  const FlowMap decoded = [&, i = i, j = j] {
    try {
      return carry(o, source, walk, Direction::decode, label);
    } catch (const RowError& error) {
      fail(ErrorKind::input, "{}: frame {} (from 0) between rows {} and {}: {}", o.data, error.row(), i, j,
           error.reason());
    }
  }();
  return finish(o, source.to_user_rows(decoded.x, conditions),
                {{"evaluations", ends.evaluations + decoded.evaluations}, {"rows", {i, j}}});
}

}  // namespace

void add_encode(CommandLine& line) {
  add_command<LatentOptions>(
      line,
      {"encode", "Carry data to latents along the probability flow",
       "fokker encode run --data points.csv --out latents.npy"},
      [](Command& c, LatentOptions& o) {
        describe_latent(c, o, "Rows in the user's units");
        describe_ranks(c, o.timeout);
      },
      [](const LatentOptions& o, const Command&) { return run_encode(o); });
}

void add_decode(CommandLine& line) {
  add_command<LatentOptions>(
      line,
      {"decode", "Carry latents back to data along the probability flow",
       "fokker decode run --data latents.npy --out points.csv"},
      [](Command& c, LatentOptions& o) {
        describe_latent(c, o, "Latents, as encode writes them");
        describe_ranks(c, o.timeout);
      },
      [](const LatentOptions& o, const Command&) { return run_decode(o); });
}

void add_interpolate(CommandLine& line) {
  add_command<LatentOptions>(
      line,
      {"interpolate", "Walk between two rows along a great circle of their latents",
       "fokker interpolate run --data images.npy --rows 0,1 --frames 9 --out frames.png"},
      [](Command& c, LatentOptions& o) {
        describe_latent(c, o, "Rows in the user's units");
        c.option("--rows", o.rows, "The two rows, I,J, counted from 0", Command::Need::required);
        c.option("--frames", o.frames, "Points of the walk, both ends included");
      },
      [](const LatentOptions& o, const Command&) { return run_interpolate(o); });
}

}  // namespace fokker::cli
