#include "fokker/data/csv/csv_rows.h"

#include <cmath>
#include <cstring>
#include <set>

#include "fokker/core/error.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker {

RowBlocks::RowBlocks(int64_t width)
    : width_(width), per_block_(std::max<int64_t>(1, (1 << 17) / std::max<int64_t>(width, 1))) {}

double* RowBlocks::add_row() {
  if (rows_ % per_block_ == 0) blocks_.push_back(std::make_unique<double[]>(per_block_ * width_));
  return blocks_.back().get() + rows_++ % per_block_ * width_;
}

Tensor RowBlocks::take(const std::string& name, int64_t dropped) {
  const int64_t kept = width_ - (dropped >= 0 ? 1 : 0);
  Tensor values = allocate(name, {rows_, kept}, at::kDouble);
  double* out = values.data_ptr<double>();
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const int64_t count = std::min(per_block_, rows_ - static_cast<int64_t>(i) * per_block_);
    const double* in = blocks_[i].get();
    if (dropped < 0) {
      if (count * width_ > 0) std::memcpy(out, in, static_cast<size_t>(count * width_) * sizeof(double));
      out += count * width_;
    } else {
      for (int64_t row = 0; row < count; ++row, in += width_) {
        out = std::copy(in, in + dropped, out);
        out = std::copy(in + dropped + 1, in + width_, out);
      }
    }
    blocks_[i].reset();
  }
  return values;
}

void RowCounters::follow(const double* row) {
  if (rows_ == 0) {
    for (int64_t column = 0; column < width_; ++column)
      if (row[column] == 0 || row[column] == 1) counters_.push_back({column, row[column]});
  } else {
    std::erase_if(counters_, [&](const Counter& counter) {
      return row[counter.column] != counter.start + static_cast<double>(rows_);
    });
  }
  ++rows_;
}

int64_t RowCounters::start_of(int64_t column) const {
  for (const Counter& counter : counters_)
    if (counter.column == column) return static_cast<int64_t>(counter.start);
  return -1;
}

void LabelTexts::add(std::string_view text) {
  const auto found = code_.find(text);
  codes_.push_back(found != code_.end()
                       ? found->second
                       : code_.emplace(text, static_cast<int32_t>(code_.size())).first->second);
}

LabelColumn LabelTexts::take(const std::string& name, int64_t skipped) const {
  std::vector<std::string> all(code_.size()), texts;
  for (const auto& [text, code] : code_) all[static_cast<size_t>(code)] = text;
  std::vector<int64_t> place(all.size(), -1), codes;
  for (size_t i = static_cast<size_t>(skipped); i < codes_.size(); ++i) {
    const auto code = static_cast<size_t>(codes_[i]);
    if (place[code] < 0) {
      place[code] = std::ssize(texts);
      texts.push_back(all[code]);
    }
    codes.push_back(place[code]);
  }
  return sorted_labels(texts, codes, name);
}

}  // namespace fokker
