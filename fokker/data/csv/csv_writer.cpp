#include <charconv>
#include <ostream>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/csv_text.h"

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

}  // namespace

void save_csv(const std::filesystem::path& path, const Tensor& values,
              const std::vector<std::string>& columns) try {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    FileWriter out(temporary, path.string());
    write_table(values, columns, [&](std::string_view text) { out.write(text); });
    out.close();
  });
} catch (...) {
  detail::throw_as_error();
}

void save_csv(std::ostream& out, const Tensor& values, const std::vector<std::string>& columns) try {
  write_table(values, columns, [&](std::string_view text) {
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  });
  out.flush();
  if (!out) fail(ErrorKind::resource, "save_csv: the output cannot be written");
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
