#include <charconv>
#include <ostream>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/csv_text.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

using Sink = std::function<void(std::string_view)>;

template <typename T>
void write_rows(const Tensor& rows, const Sink& sink) {
  const T* value = rows.data_ptr<T>();
  std::string text;
  char digits[64];
  for (int64_t row = 0; row < rows.size(0); ++row) {
    for (int64_t column = 0; column < rows.size(1); ++column) {
      if (column > 0) text += ',';
      text.append(digits, std::to_chars(digits, digits + sizeof digits, *value++).ptr);
    }
    text += '\n';
  }
  sink(text);
}

void write_table(const Tensor& table, const std::vector<std::string>& columns, const Sink& sink) {
  check(table.dim() == 1 || table.dim() == 2, "save_csv: expected (n) or (n, d) values but received {}",
        shape_string(table));
  check(!table.is_complex(), "save_csv: expected real numbers but received {}",
        at::toString(table.scalar_type()));
  const Tensor values = table.detach().dim() == 1 ? table.detach().unsqueeze(1) : table.detach();
  const auto names = columns.empty() ? default_column_names(values.size(1)) : columns;
  check(static_cast<int64_t>(names.size()) == values.size(1),
        "save_csv: expected {} column names but received {}", values.size(1), names.size());
  std::string header;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) header += ',';
    header += quoted_cell(names[i]);
  }
  sink(header + "\n");
  constexpr int64_t chunk = 8192;
  for (int64_t first = 0; first < values.size(0); first += chunk) {
    const Tensor rows =
        values.slice(0, first, std::min(first + chunk, values.size(0))).to(at::kCPU).contiguous();
    if (rows.scalar_type() == at::kDouble)
      write_rows<double>(rows, sink);
    else if (rows.is_floating_point())
      write_rows<float>(rows.to(at::kFloat), sink);
    else
      write_rows<int64_t>(rows.to(at::kLong), sink);
  }
}

/// Quoted where RFC 4180 asks for it, and where the line would be taken for a comment or for no line.
void append_quoted(std::string& out, std::string_view cell, bool first, bool only) {
  const bool quoted = cell.find_first_of(",\"\r\n") != std::string_view::npos ||
                      (first && cell.starts_with('#')) ||
                      (only && cell.find_first_not_of(" \t") == std::string_view::npos);
  if (!quoted) return void(out += cell);
  out += '"';
  for (const char c : cell) {
    if (c == '"') out += c;
    out += c;
  }
  out += '"';
}

/// Cells (n, d) as their schema says.
void write_cells(const Tensor& cells, const Schema& schema, const Sink& sink) {
  check(cells.dim() == 2 && cells.size(1) == schema.size(),
        "save_table: expected (n, {}) cells, a column each of the schema, but received {}", schema.size(),
        shape_string(cells));
  std::string text, cell;
  std::vector<CellWriter> writers;
  for (const Column& column : schema.columns) {
    writers.emplace_back(column);
    text += (writers.size() > 1 ? "," : "") + quoted_cell(column.name);
  }
  sink(text + "\n");
  const int64_t width = schema.size();
  constexpr int64_t chunk = 8192;
  for (int64_t first = 0; first < cells.size(0); first += chunk) {
    const Tensor rows = cells.slice(0, first, std::min(first + chunk, cells.size(0)))
                            .detach()
                            .to(at::kCPU, at::kDouble)
                            .contiguous();
    const double* value = rows.data_ptr<double>();
    text.clear();
    for (int64_t row = 0; row < rows.size(0); ++row) {
      for (int64_t column = 0; column < width; ++column) {
        if (column > 0) text += ',';
        cell.clear();
        try {
          writers[static_cast<size_t>(column)].append(cell, *value++);
        } catch (const Error& error) {
          throw RowError(error.kind(), first + row, error.what());
        }
        append_quoted(text, cell, column == 0, width == 1);
      }
      text += '\n';
    }
    sink(text);
  }
}

/// A table's texts into a file that is there when they all are.
void save_text(const std::filesystem::path& path, const std::function<void(const Sink&)>& write) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    FileWriter out(temporary, path.string());
    write([&](std::string_view text) { out.write(text); });
    out.close();
  });
}

void save_text(std::ostream& out, const std::function<void(const Sink&)>& write) {
  write([&](std::string_view text) { out.write(text.data(), static_cast<std::streamsize>(text.size())); });
  out.flush();
  if (!out) fail(ErrorKind::resource, "save_csv: the output cannot be written");
}

}  // namespace

void save_csv(const std::filesystem::path& path, const Tensor& values,
              const std::vector<std::string>& columns) try {
  save_text(path, [&](const Sink& sink) { write_table(values, columns, sink); });
} catch (...) {
  detail::throw_as_error();
}

void save_csv(std::ostream& out, const Tensor& values, const std::vector<std::string>& columns) try {
  save_text(out, [&](const Sink& sink) { write_table(values, columns, sink); });
} catch (...) {
  detail::throw_as_error();
}

void save_table(const std::filesystem::path& path, const Dataset& data) try {
  if (!data.schema) return save_csv(path, data.values, data.columns);
  save_text(path, [&](const Sink& sink) { write_cells(data.values, *data.schema, sink); });
} catch (...) {
  detail::throw_as_error();
}

void save_table(std::ostream& out, const Dataset& data) try {
  if (!data.schema) return save_csv(out, data.values, data.columns);
  save_text(out, [&](const Sink& sink) { write_cells(data.values, *data.schema, sink); });
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
