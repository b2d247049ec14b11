#include "fokker/table/layout.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

using Kind = TablePart::Kind;
constexpr double least_entropy =
    0.1;  // of the whole: below it a few surprising rows would be all of the loss
constexpr std::pair<Kind, const char*> part_kind_names[] = {
    {Kind::number, "number"}, {Kind::simplex, "simplex"}, {Kind::line, "line"}, {Kind::codes, "codes"}};

int64_t count_if_part(const std::vector<TablePart>& parts, bool numbers) {
  return std::count_if(parts.begin(), parts.end(),
                       [&](const TablePart& part) { return (part.kind == Kind::number) == numbers; });
}

Kind parse_part_kind(const std::string& name, const std::string& place) {
  for (const auto& [kind, known] : part_kind_names)
    if (name == known) return kind;
  fail(ErrorKind::input, "{}: unknown kind of part '{}'", place, name);
}

/// What a reader relies on, so that no size comes from an unchecked file.
void check_part(const TablePart& part, int64_t columns, const std::string& file) {
  const int64_t levels = part.kind == Kind::number ? 0 : std::ssize(part.prior);
  const bool dims = part.kind == Kind::simplex ? part.dims == levels
                    : part.kind == Kind::codes ? part.dims > 0 && part.dims <= 4096
                                               : part.dims == 1;
  const bool positions = std::ssize(part.positions) == (part.kind == Kind::line ? levels : 0);
  const bool entropy = part.kind == Kind::number || part.entropy.size() == entropy_grid().size();
  check_input(part.levels == levels && dims && positions && entropy && part.scale > 0 && part.column >= 0 &&
                  part.column < columns && (part.kind == Kind::number || levels >= 2),
              "{}: a part of column {} has sizes that do not fit together", file, part.column);
  for (const double share : part.prior)
    check_input(share > 0 && share <= 1, "{}: a level of column {} has the share {}; expected 0 to 1", file,
                part.column, share);
}

/// Fixed unit vectors, the same on every machine.
Tensor code_vectors(int64_t levels, int64_t dims) {
  const Tensor vectors = Rng(0).stream("codes of levels").normal({levels, dims}, {}, at::kDouble);
  return vectors / vectors.norm(2, {1}, true);
}

Tensor as_tensor(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions(at::kDouble));
}

/// Points before they are scaled and centred, float64.
Tensor raw_points(const TablePart& part) {
  if (part.kind == Kind::line) return as_tensor(part.positions).unsqueeze(1);
  if (part.kind == Kind::codes) return code_vectors(part.levels, part.dims);
  return at::eye(part.levels, at::TensorOptions(at::kDouble));
}

}  // namespace

const std::vector<double>& entropy_grid() {
  static const std::vector<double> grid = [] {
    std::vector<double> values;
    for (int i = -24; i <= 16; ++i) values.push_back(0.25 * i);
    return values;
  }();
  return grid;
}

double TablePart::feature_scale() const {
  if (kind == Kind::simplex) return 2 / scale;
  return kind == Kind::codes ? std::sqrt(static_cast<double>(dims)) / scale : 1;
}

double TablePart::entropy_at(double log_ratio) const {
  const auto& grid = entropy_grid();
  const double place =
      std::clamp((log_ratio - grid.front()) / (grid[1] - grid[0]), 0.0, static_cast<double>(grid.size() - 1));
  const auto below = std::min(static_cast<size_t>(place), grid.size() - 2);
  const double value = std::lerp(entropy[below], entropy[below + 1], place - static_cast<double>(below));
  return std::max(value, least_entropy * entropy.back());
}

int64_t TableLayout::numbers() const {
  return count_if_part(parts, true);
}

int64_t TableLayout::discretes() const {
  return count_if_part(parts, false);
}

int64_t TableLayout::dims() const {
  int64_t total = 0;
  for (const TablePart& part : parts) total += part.dims;
  return total;
}

int64_t TableLayout::levels() const {
  int64_t total = 0;
  for (const TablePart& part : parts) total += part.levels;
  return total;
}

Tensor TableLayout::tells_missing() const {
  const Tensor tells = at::zeros({columns}, at::TensorOptions(at::kBool));
  for (const TablePart& part : parts)
    if (part.missing) tells[part.column] = true;
  return tells;
}

std::vector<PartOffset> TableLayout::offsets() const {
  std::vector<PartOffset> result;
  PartOffset next;
  for (const TablePart& part : parts) {
    result.push_back(next);
    next.dim += part.dims;
    next.level += part.levels;
    next.discrete += part.kind == Kind::number ? 0 : 1;
  }
  return result;
}

Json TableLayout::to_json() const {
  Json list = Json::array();
  for (const TablePart& part : parts) {
    const auto* name = std::find_if(std::begin(part_kind_names), std::end(part_kind_names),
                                    [&](const auto& entry) { return entry.first == part.kind; });
    Json json = {{"kind", name->second}, {"column", part.column}};
    if (part.kind != Kind::number)
      json.update(
          {{"dims", part.dims}, {"scale", part.scale}, {"prior", part.prior}, {"entropy", part.entropy}});
    if (part.kind == Kind::line) json["positions"] = part.positions;
    if (part.missing) json["missing"] = true;
    list.push_back(std::move(json));
  }
  return {{"columns", columns}, {"parts", std::move(list)}};
}

TableLayout TableLayout::from_json(const Json& json, const std::string& file) {
  const detail::JsonReader reader(json, file);
  TableLayout layout{.parts = {}, .columns = reader.get<int64_t>("columns")};
  check_input(reader.at("parts").json().is_array(), "{}: expected an array 'parts'", file);
  Kind last = Kind::number;
  for (const Json& item : reader.at("parts").json()) {
    const detail::JsonReader member(item, file + ": parts");
    TablePart part{.kind = parse_part_kind(member.get<std::string>("kind"), file),
                   .column = member.get<int64_t>("column")};
    if (part.kind != Kind::number) {
      part.dims = member.get<int64_t>("dims");
      part.scale = member.get<double>("scale");
      part.prior = member.get<std::vector<double>>("prior");
      part.entropy = member.get<std::vector<double>>("entropy");
      part.levels = std::ssize(part.prior);
      member.read("missing", part.missing);
    }
    if (part.kind == Kind::line) part.positions = member.get<std::vector<double>>("positions");
    check_part(part, layout.columns, file);
    check_input(part.kind >= last, "{}: expected parts in the order of their kinds", file);
    last = part.kind;
    layout.parts.push_back(std::move(part));
  }
  return layout;
}

Tensor part_points(const TablePart& part) {
  const Tensor points = raw_points(part) * part.scale;
  const Tensor prior = as_tensor(part.prior);
  return (points - at::mv(points.t(), prior / prior.sum())).to(at::kFloat);
}

namespace {

/// Draws of a level k by its share and of noise n, evenly and in pairs of opposite sign, that estimate
/// E[-log p(k | e_k + deviation n)]: against level j the logits differ by
///   -|e_k - e_j|^2 / (2 deviation^2) - n (e_k - e_j) / deviation + log p_j - log p_k.
class EntropyDraws {
 public:
  EntropyDraws(const TablePart& part, const Rng& rng) {
    constexpr int64_t most = 1 << 19;
    const int64_t pairs = std::clamp<int64_t>(most / part.levels, 256, 4096) / 2;
    const Tensor points = raw_points(part), prior = as_tensor(part.prior), cumulative = prior.cumsum(0);
    const Tensor place =
        (at::arange(pairs, at::TensorOptions(at::kDouble)) + 0.5) / static_cast<double>(pairs);
    const Tensor half = at::searchsorted(cumulative, place * cumulative[-1]).clamp_max(part.levels - 1);
    const Tensor some = rng.normal({pairs, part.dims}, {}, at::kDouble);
    const Tensor levels = at::cat({half, half}), noise = at::cat({some, -some});
    const Tensor own = points.index_select(0, levels), log_prior = prior.log();
    const Tensor own_square = own.square().sum(1, true), square = points.square().sum(1).unsqueeze(0);
    half_square_ = (0.5 * (own_square + square) - at::mm(own, points.t())).clamp_min(0).to(at::kFloat);
    along_ = ((noise * own).sum(1, true) - at::mm(noise, points.t())).to(at::kFloat);
    log_odds_ = (log_prior.unsqueeze(0) - log_prior.index_select(0, levels).unsqueeze(1)).to(at::kFloat);
    // Of a level with itself nothing is left but rounding, which small deviations would enlarge.
    const Tensor itself = levels.unsqueeze(1);
    half_square_.scatter_(1, itself, 0.0);
    along_.scatter_(1, itself, 0.0);
  }

  double mean_entropy(double deviation) const {
    const Tensor logits = log_odds_ - half_square_ * (1 / (deviation * deviation)) - along_ * (1 / deviation);
    return at::logsumexp(logits, 1).mean(at::kDouble).item<double>();
  }

 private:
  Tensor half_square_, along_, log_odds_;  ///< (draws, levels) float32
};

}  // namespace

TablePart fit_part(TablePart part, const Rng& rng) {
  check(part.levels >= 2 && std::ssize(part.prior) == part.levels,
        "fit_part: expected at least two levels with a share each but received {} and {}", part.levels,
        part.prior.size());
  const Tensor prior = as_tensor(part.prior);
  const EntropyDraws draws(part, rng);
  const double whole = -(prior * prior.log()).sum().item<double>();
  if (part.kind != Kind::line) {
    double low = std::log(0.05), high = std::log(50.0);
    for (int i = 0; i < 16; ++i) {
      const double middle = 0.5 * (low + high);
      (draws.mean_entropy(std::exp(-middle)) > 0.5 * whole ? low : high) = middle;
    }
    part.scale = std::exp(0.5 * (low + high));
  }
  part.entropy.clear();
  for (const double log_ratio : entropy_grid())
    part.entropy.push_back(draws.mean_entropy(std::exp(log_ratio) / part.scale));
  part.entropy.back() = std::max(part.entropy.back(), whole);
  return part;
}

}  // namespace fokker
