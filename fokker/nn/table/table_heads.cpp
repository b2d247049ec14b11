#include "fokker/nn/table/table_heads.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/nn/table/table_levels.h"

namespace fokker {
namespace {

using Kind = TablePart::Kind;
constexpr double largest_ratio = 1e4;  // the flow ends in noise alone, where it is infinite

Tensor floats(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions(at::kDouble)).to(at::kFloat);
}

/// A buffer in the type and on the device of x.
Tensor like(const Tensor& buffer, const Tensor& x) {
  return buffer.to(x.options());
}

/// r = sigma/alpha as (n, 1) or (1, 1).
Tensor ratio_of(const Tensor& time) {
  return (4 * time).exp().clamp_max(largest_ratio).unsqueeze(1);
}

/// E[number | x_t] = c_skip y + c_out F at sigma_data = 1, with y = sqrt(1 + r^2) times the scaled x.
Tensor denoised_numbers(const Tensor& f, const Tensor& x, const Tensor& ratio) {
  return (x + ratio * f) / (1 + ratio.square()).sqrt();
}

}  // namespace

TableSpace::TableSpace(TableLayout layout)
    : layout_(std::move(layout)), levels_(std::make_shared<const TableLevels>(layout_)) {
  std::vector<double> scale, prior, positions, log_prior, features;
  std::vector<int64_t> line_of, column_of, column_of_level, stands_for_missing;
  for (const TablePart& part : layout_.parts) {
    column_of.insert(column_of.end(), static_cast<size_t>(part.dims), part.column);
    if (part.kind == Kind::number) continue;
    column_of_level.insert(column_of_level.end(), part.prior.size(), part.column);
    stands_for_missing.insert(stands_for_missing.end(), part.prior.size(), 0);
    stands_for_missing.back() = part.missing;
    for (const double share : part.prior) log_prior.push_back(std::log(share));
    features.insert(features.end(), static_cast<size_t>(part.dims), part.feature_scale());
    const Tensor points = part_points(part);
    if (part.kind == Kind::simplex) {
      scale.insert(scale.end(), part.prior.size(), part.scale);
      prior.insert(prior.end(), part.prior.begin(), part.prior.end());
      simplex_levels_ += part.levels;
    } else if (part.kind == Kind::line) {
      for (int64_t k = 0; k < part.levels; ++k) positions.push_back(points[k][0].item<double>());
      line_of.insert(line_of.end(), part.prior.size(), lines_++);
      line_levels_ += part.levels;
    } else {
      codes_.push_back(points);
    }
  }
  simplex_scale_ = floats(scale).unsqueeze(0);
  simplex_prior_ = floats(prior).unsqueeze(0);
  positions_ = floats(positions);
  log_prior_ = floats(log_prior);
  feature_scale_ = floats(features);
  line_of_level_ = at::tensor(line_of, at::TensorOptions(at::kLong));
  column_of_dim_ = at::tensor(column_of, at::TensorOptions(at::kLong));
  column_of_level_ = at::tensor(column_of_level, at::TensorOptions(at::kLong));
  stands_for_missing_ = at::tensor(stands_for_missing, at::TensorOptions(at::kLong)).to(at::kBool);
}

/// log N(y; e_k, r^2 I) of every level, up to a constant of each part, and its share; y: (n, dims of discrete
/// parts).
Tensor TableSpace::own_logits(const Tensor& y, const Tensor& ratio, const Tensor& mask) const {
  const Tensor precision = ratio.square().reciprocal();
  std::vector<Tensor> logits;
  if (simplex_levels_ > 0) {
    // |y - e_k|^2 = |y|^2 - 2 s (y_k + s p_k) + what is the same for all k, at e_k = s (1_k - p).
    const Tensor s = like(simplex_scale_, y);
    logits.push_back((y.narrow(1, 0, simplex_levels_) + s * like(simplex_prior_, y)) * s * precision);
  }
  if (line_levels_ > 0) {
    const Tensor at = y.narrow(1, simplex_levels_, lines_).index_select(1, line_of_level_.to(y.device()));
    logits.push_back((at - like(positions_, y)).square() * (-0.5 * precision));
  }
  int64_t first = simplex_levels_ + lines_;
  for (const Tensor& code : codes_) {
    const Tensor points = like(code, y);
    const Tensor product = at::mm(y.narrow(1, first, points.size(1)), points.t());
    logits.push_back((product - 0.5 * points.square().sum(1)) * precision);
    first += points.size(1);
  }
  const Tensor all = at::cat(logits, 1) + like(log_prior_, y);
  if (!mask.defined()) return all;
  const Tensor known_not_to_be =
      (mask.index_select(1, column_of_level_.to(y.device())) < 0) & stands_for_missing_.to(y.device());
  return all.masked_fill(known_not_to_be, kernel::impossible_logit);
}

/// E[e_k] of every discrete part: (n, levels) to (n, their dims).
Tensor TableSpace::means(const Tensor& p) const {
  std::vector<Tensor> parts;
  if (simplex_levels_ > 0)
    parts.push_back((p.narrow(1, 0, simplex_levels_) - like(simplex_prior_, p)) * like(simplex_scale_, p));
  if (line_levels_ > 0) {
    const Tensor weighted = p.narrow(1, simplex_levels_, line_levels_) * like(positions_, p);
    parts.push_back(
        at::zeros({p.size(0), lines_}, p.options()).index_add(1, line_of_level_.to(p.device()), weighted));
  }
  int64_t first = simplex_levels_ + line_levels_;
  for (const Tensor& code : codes_) {
    parts.push_back(at::mm(p.narrow(1, first, code.size(0)), like(code, p)));
    first += code.size(0);
  }
  return at::cat(parts, 1);
}

Tensor TableSpace::mask_of_dims(const Tensor& mask) const {
  return mask.index_select(1, column_of_dim_.to(mask.device()));
}

/// What the layers see: c_in x of numbers, factors of E[point | own noised value], what is given, and its
/// bits.
TableSpace::Asked TableSpace::ask(const Tensor& x, const Tensor& time, const TableCondition& given) const {
  const int64_t n = x.size(0), numbers = layout_.numbers(), discrete = layout_.dims() - numbers;
  const Tensor ratio = ratio_of(time);
  if (discrete > 0 && TableLevels::suits({x, time, given.mask, given.x0})) return ask_fused(x, ratio, given);
  Asked asked;
  std::vector<Tensor> features = {x.narrow(1, 0, numbers)};
  if (discrete > 0) {
    asked.own = own_logits(x.narrow(1, numbers, discrete) * (1 + ratio.square()).sqrt(), ratio, given.mask);
    features.push_back(means(segment_log_softmax(layout_, asked.own).exp()));
  }
  Tensor all = at::cat(features, 1);
  if (given.mask.defined()) {
    all = at::where(mask_of_dims(given.mask) > 0, given.x0, all);
    if (discrete > 0)
      asked.own = at::where(given.mask.index_select(1, column_of_level_.to(x.device())) > 0,
                            like(log_prior_, x), asked.own);
  }
  if (discrete > 0)
    all = at::cat({all.narrow(1, 0, numbers), all.narrow(1, numbers, discrete) * like(feature_scale_, x)}, 1);
  asked.input =
      at::cat({all, given.mask.defined() ? given.mask : at::zeros({n, layout_.columns}, x.options())}, 1);
  return asked;
}

TableSpace::Asked TableSpace::ask_fused(const Tensor& x, const Tensor& ratio,
                                        const TableCondition& given) const {
  const GradientMode no_gradients(false);
  const int64_t numbers = layout_.numbers();
  Asked asked{.own = {}, .input = at::empty({x.size(0), inputs()}, x.options()), .fused = true};
  asked.own = levels_->own_logits(x, ratio, given, asked.input);
  Tensor own = x.narrow(1, 0, numbers), bits = asked.input.narrow(1, layout_.dims(), layout_.columns);
  if (given.mask.defined()) {
    own = at::where(mask_of_dims(given.mask).narrow(1, 0, numbers) > 0, given.x0.narrow(1, 0, numbers), own);
    bits.copy_(given.mask);
  } else {
    bits.zero_();
  }
  asked.input.narrow(1, 0, numbers).copy_(own);
  return asked;
}

TableHeads TableSpace::heads_of(const Asked& asked, const Tensor& out) const {
  TableHeads heads{.numbers = out.narrow(1, 0, layout_.numbers()), .log_probabilities = {}};
  if (asked.own.defined())
    heads.log_probabilities =
        segment_log_softmax(layout_, asked.own + out.narrow(1, layout_.numbers(), layout_.levels()));
  return heads;
}

TableHeads TableSpace::heads(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                             const TableCondition& given) const {
  const Asked asked = ask(x, time, given);
  return heads_of(asked, layers.forward(asked.input, time, label));
}

Tensor TableSpace::denoised(const TableHeads& heads, const Tensor& x, const Tensor& time,
                            const TableCondition& given) const {
  std::vector<Tensor> parts = {
      denoised_numbers(heads.numbers, x.narrow(1, 0, layout_.numbers()), ratio_of(time))};
  if (heads.log_probabilities.defined()) parts.push_back(means(heads.log_probabilities.exp()));
  const Tensor all = at::cat(parts, 1);
  return given.mask.defined() ? at::where(mask_of_dims(given.mask) > 0, given.x0, all) : all;
}

Tensor TableSpace::denoised(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                            const TableCondition& given) const {
  const Asked asked = ask(x, time, given);
  const Tensor out = layers.forward(asked.input, time, label);
  if (!asked.fused || !TableLevels::suits({out})) return denoised(heads_of(asked, out), x, time, given);
  const int64_t numbers = layout_.numbers();
  const Tensor all = at::empty({x.size(0), layout_.dims()}, x.options());
  levels_->write_means(asked.own, out, all, {});
  all.narrow(1, 0, numbers)
      .copy_(denoised_numbers(out.narrow(1, 0, numbers), x.narrow(1, 0, numbers), ratio_of(time)));
  return given.mask.defined() ? at::where(mask_of_dims(given.mask) > 0, given.x0, all) : all;
}

Tensor TableSpace::losses(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                          const TableCondition& given, const TableTargets& targets) const {
  const Asked asked = ask(x, time, given);
  const Tensor out = layers.forward(asked.input, time, label);
  if (asked.fused && out.is_cpu() && out.scalar_type() == at::kFloat)
    return levels_->losses(out, asked.own, targets, given.mask);
  return plain_table_losses(layout_, out, asked.own, targets);
}

}  // namespace fokker
