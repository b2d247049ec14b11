#include <algorithm>
#include <charconv>
#include <ostream>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/line_writer.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

using Sink = std::function<void(std::string_view)>;

/// Lines in a format, and where they go.
struct LineSink {
  const CsvFormat& format;
  const Sink& sink;
  LineWriter lines = LineWriter(format);

  void flush() {
    sink(encoded(lines.text(), format.encoding));
    lines.clear();
  }
};

void write_header(const std::vector<std::string>& names, LineSink& out) {
  if (!out.format.header.value_or(true)) return;
  for (const std::string& name : names)
    names.size() > 1 ? out.lines.add(name) : out.lines.add_lone_name(name);
  out.lines.end_line();
}

template <typename T>
void write_rows(const Tensor& rows, LineSink& out) {
  const T* value = rows.data_ptr<T>();
  const char decimal = out.format.decimal.value_or('.');
  char digits[64];
  for (int64_t row = 0; row < rows.size(0); ++row) {
    for (int64_t column = 0; column < rows.size(1); ++column) {
      const auto end = std::to_chars(digits, digits + sizeof digits, *value++).ptr;
      std::replace(digits, end, '.', decimal);
      out.lines.add(std::string_view(digits, end));
    }
    out.lines.end_line();
  }
  out.flush();
}

void write_table(const Tensor& table, const std::vector<std::string>& columns, LineSink out) {
  check(table.dim() == 1 || table.dim() == 2, "save_csv: expected (n) or (n, d) values but received {}",
        shape_string(table));
  check(!table.is_complex(), "save_csv: expected real numbers but received {}",
        at::toString(table.scalar_type()));
  const Tensor values = table.detach().dim() == 1 ? table.detach().unsqueeze(1) : table.detach();
  const auto names = columns.empty() ? default_column_names(values.size(1)) : columns;
  check(static_cast<int64_t>(names.size()) == values.size(1),
        "save_csv: expected {} column names but received {}", values.size(1), names.size());
  write_header(names, out);
  out.flush();
  constexpr int64_t chunk = 8192;
  for (int64_t first = 0; first < values.size(0); first += chunk) {
    const Tensor rows =
        values.slice(0, first, std::min(first + chunk, values.size(0))).to(at::kCPU).contiguous();
    if (rows.scalar_type() == at::kDouble)
      write_rows<double>(rows, out);
    else if (rows.is_floating_point())
      write_rows<float>(rows.to(at::kFloat), out);
    else
      write_rows<int64_t>(rows.to(at::kLong), out);
  }
}

/// Cells (n, d) as their schema says.
void write_cells(const Tensor& cells, const Schema& schema, LineSink out) {
  check(cells.dim() == 2 && cells.size(1) == schema.size(),
        "save_table: expected (n, {}) cells, a column each of the schema, but received {}", schema.size(),
        shape_string(cells));
  std::vector<CellWriter> writers;
  for (const Column& column : schema.columns) writers.emplace_back(column, out.format.decimal.value_or('.'));
  write_header(schema.names(), out);
  out.flush();
  const int64_t chunk = std::clamp<int64_t>((1 << 18) / std::max<int64_t>(1, schema.size()), 1, 8192);
  std::string cell;
  for (int64_t first = 0; first < cells.size(0); first += chunk) {
    const Tensor rows = cells.slice(0, first, std::min(first + chunk, cells.size(0)))
                            .detach()
                            .to(at::kCPU, at::kDouble)
                            .contiguous();
    const double* value = rows.data_ptr<double>();
    for (int64_t row = 0; row < rows.size(0); ++row) {
      for (const CellWriter& writer : writers) {
        cell.clear();
        try {
          writer.append(cell, *value++);
        } catch (const Error& error) {
          throw RowError(error.kind(), first + row, error.what());
        }
        out.lines.add(cell);
      }
      out.lines.end_line();
    }
    out.flush();
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
              const std::vector<std::string>& columns, const CsvFormat& format) try {
  save_text(path, [&](const Sink& sink) { write_table(values, columns, {format, sink}); });
} catch (...) {
  detail::throw_as_error();
}

void save_csv(std::ostream& out, const Tensor& values, const std::vector<std::string>& columns,
              const CsvFormat& format) try {
  save_text(out, [&](const Sink& sink) { write_table(values, columns, {format, sink}); });
} catch (...) {
  detail::throw_as_error();
}

void save_table(const std::filesystem::path& path, const Dataset& data) try {
  if (!data.schema) return save_csv(path, data.values, data.columns, data.format);
  save_text(path, [&](const Sink& sink) { write_cells(data.values, *data.schema, {data.format, sink}); });
} catch (...) {
  detail::throw_as_error();
}

void save_table(std::ostream& out, const Dataset& data) try {
  if (!data.schema) return save_csv(out, data.values, data.columns, data.format);
  save_text(out, [&](const Sink& sink) { write_cells(data.values, *data.schema, {data.format, sink}); });
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
