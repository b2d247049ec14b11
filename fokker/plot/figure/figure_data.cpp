// The numbers of a figure as a table.
#include <cmath>

#include "fokker/plot/figure/figure.h"
#include "fokker/plot/figure/label.h"

namespace fokker::plot {
namespace {

std::string csv_number(double value) {
  return std::isnan(value) ? std::string() : fmt::format("{:.7g}", value);
}

std::string csv_text(const std::string& label) {
  const std::string text = plain_label(label);
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void add_rows(std::string& csv, size_t panel, const Axes& axes) {
  for (const auto& mark : axes.marks()) {
    const MarkData data = mark->data();
    const auto legend = mark->legend();
    const std::string begin = fmt::format("{},{},{},{},", panel + 1, csv_text(axes.title), data.mark,
                                          legend ? csv_text(legend->label) : "");
    for (const MarkRow& row : data.rows)
      csv += begin + fmt::format("{},{},{},{},{},{}\n", csv_number(row.curve), csv_number(row.x),
                                 csv_number(row.y), csv_number(row.x2), csv_number(row.y2),
                                 csv_number(row.value));
  }
}

}  // namespace

std::string Figure::csv() const {
  std::string csv = "panel,title,mark,label,curve,x,y,x2,y2,value\n";
  for (size_t panel = 0; panel < panels_.size(); ++panel) add_rows(csv, panel, panels_[panel]);
  return csv;
}

}  // namespace fokker::plot
