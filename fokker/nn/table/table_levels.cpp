#include "fokker/nn/table/table_levels.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/nn/held_node.h"

namespace fokker {
namespace {

using kernel::MatrixRows;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;
using PartKind = TablePart::Kind;

/// Rows of a float32 matrix whose columns are adjacent, from a column on.
MatrixRows rows_from(const Tensor& matrix, int64_t column = 0) {
  if (!matrix.defined()) return {};
  return {matrix.data_ptr<float>() + column, matrix.stride(0)};
}

Tensor adjacent(const Tensor& matrix) {
  return !matrix.defined() || matrix.stride(1) == 1 ? matrix : matrix.contiguous();
}

kernel::LevelPart part_of(const TablePart& part, const PartOffset& at, int64_t numbers) {
  using Kind = kernel::LevelPart::Kind;
  kernel::LevelPart result{.level = at.level,
                           .levels = part.levels,
                           .dim = at.dim - numbers,
                           .column = part.column,
                           .scale = static_cast<float>(part.scale),
                           .factor = static_cast<float>(part.feature_scale()),
                           .missing = part.missing};
  result.kind = part.kind == PartKind::simplex ? Kind::corners
                : part.kind == PartKind::line  ? Kind::line
                                               : Kind::points;
  return result;
}

/// The gradient of losses, whose slopes were found with them.
class LevelLossNode final : public torch::autograd::Node {
 public:
  LevelLossNode(std::shared_ptr<const TableLevels> levels, Tensor slopes, const Tensor& out, Tensor own,
                TableTargets targets, Tensor mask)
      : levels_(std::move(levels)),
        slopes_(std::move(slopes)),
        out_(out, /*is_output=*/false),
        own_(std::move(own)),
        targets_(std::move(targets)),
        mask_(std::move(mask)) {}

  std::string name() const override { return "FokkerTableLosses"; }
  void release_variables() override {
    slopes_ = Tensor();
    out_.reset_data();
  }

  variable_list apply(variable_list&& gradients) override {
    check(slopes_.defined(),
          "TableLevels: expected one backward pass, or a retained graph, but received another pass");
    if (!gradients[0].defined()) return variable_list(1);
    if (at::GradMode::is_enabled()) return differentiable(gradients[0]);
    const int64_t numbers = levels_->layout().numbers();
    const Tensor factors = gradients[0].contiguous(), result = at::empty_like(slopes_);
    result.narrow(1, 0, numbers).copy_(slopes_.narrow(1, 0, numbers) * factors.narrow(1, 0, numbers));
    kernel::scale_level_parts(levels_->parts(), rows_from(slopes_, numbers), rows_from(factors, numbers),
                              slopes_.size(0), rows_from(result, numbers));
    return {result};
  }

 private:
  // Second derivatives: the plain functions know how to differentiate their gradients.
  variable_list differentiable(const Tensor& gradient) {
    const TableLayout& layout = levels_->layout();
    const Tensor out = out_.unpack();
    Tensor losses = plain_table_losses(layout, out, own_, targets_);
    if (mask_.defined()) losses = losses * open_discrete_parts(layout, mask_);
    return torch::autograd::grad({losses}, {out}, {gradient}, /*retain_graph=*/true, /*create_graph=*/true);
  }

  /// (n, parts): 0 for discrete ones that are given.
  static Tensor open_discrete_parts(const TableLayout& layout, const Tensor& mask) {
    Tensor open = at::ones({mask.size(0), std::ssize(layout.parts)}, mask.options());
    for (size_t i = static_cast<size_t>(layout.numbers()); i < layout.parts.size(); ++i)
      open.select(1, static_cast<int64_t>(i)).copy_(mask.select(1, layout.parts[i].column) <= 0);
    return open;
  }

  std::shared_ptr<const TableLevels> levels_;
  Tensor slopes_;
  SavedVariable out_;
  Tensor own_;
  TableTargets targets_;
  Tensor mask_;
};

}  // namespace

Tensor segment_log_softmax(const TableLayout& layout, const Tensor& logits) {
  const std::vector<PartOffset> offsets = layout.offsets();
  std::vector<Tensor> parts;
  for (size_t i = static_cast<size_t>(layout.numbers()); i < offsets.size(); ++i)
    parts.push_back(at::log_softmax(logits.narrow(1, offsets[i].level, layout.parts[i].levels), 1));
  return at::cat(parts, 1);
}

Tensor plain_table_losses(const TableLayout& layout, const Tensor& out, const Tensor& own,
                          const TableTargets& targets) {
  const int64_t numbers = layout.numbers();
  std::vector<Tensor> losses = {(out.narrow(1, 0, numbers) - targets.numbers).square()};
  if (layout.discretes() > 0) {
    const std::vector<PartOffset> offsets = layout.offsets();
    std::vector<int64_t> first;
    for (size_t i = static_cast<size_t>(numbers); i < offsets.size(); ++i) first.push_back(offsets[i].level);
    const Tensor log_p = segment_log_softmax(layout, own + out.narrow(1, numbers, layout.levels()));
    losses.push_back(-log_p.gather(1, targets.levels + at::tensor(first, targets.levels.options())));
  }
  return at::cat(losses, 1);
}

TableLevels::TableLevels(const TableLayout& layout) : layout_(layout) {
  const std::vector<PartOffset> offsets = layout_.offsets();
  const int64_t numbers = layout_.numbers();
  const auto append = [](std::vector<float>& list, const Tensor& values) {
    const Tensor row = values.to(at::kFloat).contiguous();
    list.insert(list.end(), row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
  };
  parts_.first_of_points = layout_.levels();
  for (size_t i = static_cast<size_t>(numbers); i < offsets.size(); ++i) {
    const TablePart& part = layout_.parts[i];
    parts_.parts.push_back(part_of(part, offsets[i], numbers));
    const Tensor points = part_points(part), prior = at::tensor(part.prior, at::TensorOptions(at::kDouble));
    append(parts_.log_prior, prior.log());
    if (part.kind == PartKind::simplex) {
      append(parts_.offset, prior / prior.sum() * part.scale);
    } else if (part.kind == PartKind::line) {
      append(parts_.offset, points.squeeze(1));
    } else {
      append(parts_.offset, 0.5 * points.square().sum(1));
      if (points_.empty()) parts_.first_of_points = offsets[i].level;
      points_.push_back({i, points});
    }
  }
}

bool TableLevels::suits(std::initializer_list<Tensor> inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [](const Tensor& t) {
    return !t.defined() || (t.is_cpu() && t.scalar_type() == at::kFloat &&
                            !(at::GradMode::is_enabled() && t.requires_grad()));
  });
}

/// x (n, dims) times the points of each part that has such: (n, their levels).
Tensor TableLevels::products_with(const Tensor& x) const {
  if (points_.empty()) return {};
  const Tensor products = at::empty({x.size(0), parts_.levels() - parts_.first_of_points}, x.options());
  const std::vector<PartOffset> offsets = layout_.offsets();
  for (const auto& [i, points] : points_) {
    Tensor own = products.narrow(1, offsets[i].level - parts_.first_of_points, points.size(0));
    at::mm_out(own, x.narrow(1, offsets[i].dim, points.size(1)), points.t());
  }
  return products;
}

Tensor TableLevels::own_logits(const Tensor& given_x, const Tensor& ratio, const TableCondition& given,
                               const Tensor& input) const {
  const GradientMode no_gradients(false);
  const Tensor x = adjacent(given_x), mask = adjacent(given.mask), x0 = adjacent(given.x0);
  const Tensor r = ratio.contiguous();
  const int64_t n = x.size(0), numbers = layout_.numbers();
  const Tensor own = at::empty({n, layout_.levels()}, x.options());
  const Tensor products = products_with(x);
  const Tensor chances = products.defined() ? at::empty_like(products) : Tensor();
  kernel::own_level_logits(parts_,
                           {.x = rows_from(x, numbers),
                            .ratio = r.data_ptr<float>(),
                            .ratio_stride = r.size(0) == 1 ? 0 : 1,
                            .products = rows_from(products),
                            .mask = rows_from(mask),
                            .known = mask.defined() ? rows_from(x0, numbers) : MatrixRows()},
                           n, rows_from(own), rows_from(input, numbers), rows_from(chances));
  const std::vector<PartOffset> offsets = layout_.offsets();
  for (const auto& [i, points] : points_) {
    const TablePart& part = layout_.parts[i];
    Tensor mean = at::mm(chances.narrow(1, offsets[i].level - parts_.first_of_points, part.levels), points);
    if (mask.defined())
      mean = at::where(mask.narrow(1, part.column, 1) > 0, x0.narrow(1, offsets[i].dim, part.dims), mean);
    input.narrow(1, offsets[i].dim, part.dims).copy_(mean * part.feature_scale());
  }
  return own;
}

void TableLevels::write_means(const Tensor& own, const Tensor& given_out, const Tensor& denoised,
                              const Tensor& log_p) const {
  const GradientMode no_gradients(false);
  const Tensor out = adjacent(given_out);
  const int64_t n = out.size(0), numbers = layout_.numbers(), first = parts_.first_of_points;
  const Tensor chances = points_.empty() ? Tensor() : at::empty({n, parts_.levels() - first}, out.options());
  kernel::level_posterior(parts_, rows_from(own), rows_from(out, numbers), n, rows_from(denoised, numbers),
                          rows_from(chances), rows_from(log_p));
  const std::vector<PartOffset> offsets = layout_.offsets();
  for (const auto& [i, points] : points_)
    denoised.narrow(1, offsets[i].dim, points.size(1))
        .copy_(at::mm(chances.narrow(1, offsets[i].level - first, points.size(0)), points));
}

void TableLevels::check_levels(const Tensor& levels) const {
  const auto count = static_cast<int64_t>(parts_.parts.size());
  const auto* level = levels.data_ptr<int64_t>();
  bool good = true;
  for (int64_t i = 0; i < levels.numel(); ++i)
    good = good && level[i] >= 0 && level[i] < parts_.parts[static_cast<size_t>(i % count)].levels;
  check(good, "TableLevels: expected levels that their parts have");
}

Tensor TableLevels::losses(const Tensor& out, const Tensor& own, const TableTargets& targets,
                           const Tensor& given_mask) const {
  const int64_t n = out.size(0), numbers = layout_.numbers();
  const Tensor level = targets.levels.contiguous(), mask = adjacent(given_mask);
  check(level.dim() == 2 && level.size(0) == n && level.size(1) == layout_.discretes(),
        "TableLevels: expected levels of {} rows of {} parts but received {}", n, layout_.discretes(),
        shape_string(level));
  check_levels(level);
  Tensor losses;
  decltype(torch::autograd::Edge::function) node;
  {
    const GradientMode no_gradients(false);
    const Tensor said = adjacent(out);
    losses = at::empty({n, std::ssize(layout_.parts)}, out.options());
    const Tensor slopes = at::empty({n, out.size(1)}, out.options());
    const Tensor off = said.narrow(1, 0, numbers) - targets.numbers;
    losses.narrow(1, 0, numbers).copy_(off.square());
    slopes.narrow(1, 0, numbers).copy_(2 * off);
    kernel::level_losses(parts_, rows_from(own), rows_from(said, numbers), level.data_ptr<int64_t>(),
                         rows_from(mask), n, rows_from(losses, numbers), rows_from(slopes, numbers));
    if (!out.requires_grad()) return losses;
    node = held_node(std::make_unique<LevelLossNode>(shared_from_this(), slopes, out, own, targets, mask));
  }
  if (!at::GradMode::is_enabled()) return losses;
  node->set_next_edges(torch::autograd::collect_next_edges(out));
  torch::autograd::set_history(losses, node);
  return losses;
}

}  // namespace fokker
