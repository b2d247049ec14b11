#include "fokker/data/csv/csv_cache.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
#include "fokker/core/file/shown.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv_table.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/data/rows/stored_rows.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr int cache_format = 1;
constexpr const char *cache_file = "cache.json", *cells_file = "cells.f64", *labels_file = "labels.npy";
constexpr int64_t fewest_inferred = 10'000;

Json wish_json(const ColumnWish& wish) {
  Json json = {{"dropped", wish.dropped}, {"kept", wish.kept}, {"levels", wish.levels}};
  if (wish.kind) json["kind"] = to_string(*wish.kind);
  if (wish.missing) json["missing"] = *wish.missing;
  if (wish.low) json["low"] = *wish.low;
  if (wish.high) json["high"] = *wish.high;
  if (wish.decimals) json["decimals"] = *wish.decimals;
  if (wish.date_format) json["date_format"] = wish.date_format->text();
  return json;
}

/// How a file is read, as far as its cells depend on it.
Json reading_json(const LoadOptions& o) {
  Json json = {{"format", o.csv.to_json()},        {"columns", o.columns},
               {"label_column", o.label_column},   {"typed", o.typed},
               {"within_bounds", o.within_bounds}, {"accept_missing", o.accept_missing}};
  if (o.typed && !o.schema) json["inferred_cells"] = o.inferred_cells;
  if (o.schema) json["schema"] = o.schema->to_json();
  for (const auto& [name, wish] : o.wishes) json["wishes"][name] = wish_json(wish);
  return json;
}

Json key_of(const fs::path& csv, const LoadOptions& options) {
  const FileState state = state_of_file(csv);
  return {{"format", cache_format},
          {"source", fs::absolute(csv).string()},
          {"size", state.size},
          {"modified", state.modified},
          {"reading", reading_json(options)}};
}

int64_t inferred_rows(const fs::path& csv, const LoadOptions& options) {
  const auto columns = std::ssize(CsvTable(csv, options.csv).column_names());
  return std::max(fewest_inferred, options.inferred_cells / std::max<int64_t>(1, columns));
}

/// The rows of a file while they are written.
class CellsWriter {
 public:
  CellsWriter(const fs::path& folder, const fs::path& shown) : out_(folder / cells_file, shown.string()) {}
  void add(const double* row, int64_t width) {
    constexpr int64_t rows_between_stops = 4096;
    if (rows_++ % rows_between_stops == 0) check_stop();
    out_.write(row, static_cast<uint64_t>(width) * sizeof(double));
  }
  int64_t close() {
    out_.close();
    return rows_;
  }

 private:
  FileWriter out_;
  int64_t rows_ = 0;
};

/// What is known of a file beside its cells, and how these lie in the cache.
struct Converted {
  Dataset data;
  int64_t rows = 0, width = 0;
  int64_t left_out = -1;  ///< a place of a row that only counts them
};

Converted convert(const fs::path& csv, const LoadOptions& options, CellsWriter& cells) {
  Converted found;
  if (options.typed) {
    const TableOptions table{.format = options.csv,
                             .columns = options.columns,
                             .label_column = options.label_column,
                             .schema = options.schema,
                             .wishes = options.wishes,
                             .within_bounds = options.within_bounds,
                             .accept_missing = options.accept_missing};
    found.data = stream_table(csv, table, inferred_rows(csv, options), [&](const std::vector<double>& row) {
      cells.add(row.data(), std::ssize(row));
    });
    found.width = std::ssize(found.data.columns);
  } else {
    CsvTable table(csv, options.csv);
    table.choose(options.columns, options.label_column);
    found.width = table.width();
    found.data = table.read_rows([&](const double* row) { cells.add(row, table.width()); }, found.left_out);
  }
  found.rows = cells.close();
  return found;
}

Json description(const Converted& c) {
  const Dataset& d = c.data;
  Json json = {{"rows", c.rows},
               {"width", c.width},
               {"left_out", c.left_out},
               {"columns", d.columns},
               {"columns_named", d.columns_named},
               {"label_names", d.label_names},
               {"label_column", d.label_column},
               {"notes", d.notes},
               {"doubts", d.doubts},
               {"file_format", d.format.to_json()}};
  if (d.schema) json["schema"] = d.schema->to_json();
  return json;
}

void fill_cache(const fs::path& folder, const fs::path& shown, const fs::path& csv,
                const LoadOptions& options, const Json& key) {
  CellsWriter cells(folder, shown);
  const Converted found = convert(csv, options, cells);
  std::vector<std::string> files = {cells_file};
  if (found.data.labels.defined()) {
    save_npy(folder / labels_file, found.data.labels);
    files.emplace_back(labels_file);
  }
  check_input(key_of(csv, options) == key, "{}: it was changed while it was read", csv.string());
  Json json = {{"key", key}, {"data", description(found)}};
  write_file_atomically(folder / cache_file, json_text(json, 2) + "\n");
  files.emplace_back(cache_file);
  write_manifest(folder, files);
}

/// Refuses a disk that is too small before the work.
void check_space(const fs::path& cache, const fs::path& csv, const LoadOptions& options) {
  std::error_code error;
  const fs::path above = fs::absolute(cache).parent_path();
  const auto space = fs::space(above, error);
  const CsvTable table(csv, options.csv);
  const double rows = static_cast<double>(state_of_file(csv).size) / table.bytes_per_row();
  const double bytes = rows * static_cast<double>(table.column_names().size()) * sizeof(double);
  if (error || static_cast<double>(space.available) >= bytes) return;
  fail(ErrorKind::resource,
       "{}: the rows of {} take about {} there but {} are free; name another folder for it (cache)",
       cache.string(), csv.string(), describe_bytes(static_cast<uint64_t>(bytes)),
       describe_bytes(space.available));
}

void make_cache(const fs::path& cache, const fs::path& csv, const LoadOptions& options, const Json& key) {
  check_space(cache, csv, options);
  message_once(fmt::format("{}: its rows are written to {} once, and read from there from now on",
                           csv.string(), cache.string()));
  try {
    write_folder_atomically(cache,
                            [&](const fs::path& folder) { fill_cache(folder, cache, csv, options, key); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::resource) throw;
    fail(ErrorKind::resource,
         "{}; name another folder for the cache (cache), or read all into memory (stream no)", error.what());
  }
}

/// What the cache says, where it is whole and of this key; nothing where it is to be made anew.
std::optional<Json> read_cache(const fs::path& cache, const Json& key) {
  recover_folder(cache);
  std::error_code error;
  if (!fs::exists(cache, error)) return {};
  const bool ours = fs::exists(cache / cache_file, error) || fs::exists(cache / manifest_name, error);
  check_input(ours,
              "{}: it is there already and is no cache of rows: remove it, or name another folder (cache)",
              cache.string());
  try {
    const Json json = read_json(cache / cache_file);
    if (!json.is_object() || json.value("key", Json()) != key || !json.contains("data")) return {};
    if (!check_manifest(cache)) return {};
    return json["data"];
  } catch (const Error& damage) {
    if (damage.kind() != ErrorKind::input) throw;
    warn_once(fmt::format("{}; the cache is made anew", damage.what()));
    return {};
  }
}

Dataset open_cache(const fs::path& cache, const fs::path& csv, const Json& json) try {
  const std::string place = (cache / cache_file).string();
  Dataset data;
  data.source = csv.string();
  json.at("columns").get_to(data.columns);
  json.at("columns_named").get_to(data.columns_named);
  json.at("label_names").get_to(data.label_names);
  json.at("label_column").get_to(data.label_column);
  json.at("notes").get_to(data.notes);
  json.at("doubts").get_to(data.doubts);
  data.format = CsvFormat::from_json(json.at("file_format"), place);
  if (json.contains("schema"))
    data.schema = std::make_shared<const Schema>(Schema::from_json(json["schema"], place));
  const int64_t width = json.at("width").get<int64_t>(), left_out = json.at("left_out").get<int64_t>();
  const StoredForm form{{json.at("rows").get<int64_t>(), {width}, at::kDouble}, 0};
  data.stored = open_stored_rows(cache / cells_file, (cache / cells_file).string(), form);
  std::vector<int64_t> places;
  for (int64_t j = 0; j < width; ++j)
    if (j != left_out) places.push_back(j);
  if (left_out >= 0) data.stored = columns_of_rows(data.stored, places);
  if (!data.label_names.empty()) data.labels = load_npy(cache / labels_file);
  data.notes.push_back("read by way of " + cache.string());
  return data;
} catch (const Json::exception& error) {
  fail(ErrorKind::input, "{}: {}; remove the folder", (cache / cache_file).string(), error.what());
}

}  // namespace

fs::path csv_cache_folder(const fs::path& csv, const LoadOptions& options) {
  const std::string name = csv.filename().string() + ".fokker-cache";
  return (options.cache.empty() ? csv.parent_path() : options.cache) / name;
}

Dataset load_cached_csv(const fs::path& csv, const LoadOptions& options) try {
  const fs::path cache = csv_cache_folder(csv, options);
  const Json key = key_of(csv, options);
  std::optional<Json> known = read_cache(cache, key);
  if (!known) {
    make_cache(cache, csv, options, key);
    known = read_cache(cache, key);
    check_input(known.has_value(), "{}: it was changed while it was made", cache.string());
  }
  return open_cache(cache, csv, *known);
} catch (...) {
  detail::throw_as_error();
}

double csv_bytes_in_memory(const fs::path& csv, const LoadOptions& options) try {
  const CsvTable table(csv, options.csv);
  // Deflated text is some four times as long as its file.
  const double text = static_cast<double>(state_of_file(csv).size) * (csv.extension() == ".gz" ? 4 : 1);
  const double cells = text / table.bytes_per_row() * static_cast<double>(table.column_names().size());
  // As read, joined, and those of training once more; with codes and lines of cells whose kind is inferred.
  return cells * (options.typed ? 40 : 24);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
