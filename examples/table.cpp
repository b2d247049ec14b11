// A table with a category, a count and an amount that is often exactly zero: trained, sampled given a column,
// and held against the law that it was made from.
#include <fokker/fokker.h>

#include <fstream>

using namespace fokker;

/// Of smokers three in four have children, of others one in four; one in two pays nothing.
void write_table(const char* file) {
  std::ofstream out(file);
  out << "smokes,children,fee\n";
  const Tensor u = Rng(1).uniform({4000, 4}, {}, at::kDouble);
  const auto rows = u.accessor<double, 2>();
  for (int64_t i = 0; i < u.size(0); ++i) {
    const bool smokes = rows[i][0] < 0.3, has_children = rows[i][1] < (smokes ? 0.75 : 0.25);
    out << (smokes ? "yes," : "no,") << (has_children ? 1 + static_cast<int>(rows[i][2] * 12) : 0) << ',';
    out << (rows[i][3] < 0.5 ? 0.0 : std::round(1e4 * rows[i][3]) / 100) << '\n';
  }
}

int main() {
  write_table("people.csv");
  const Dataset people = load_table("people.csv").data;
  for (const std::string& line : schema_lines(*people.schema)) fmt::print("{}\n", line);

  Recipe recipe;
  recipe.mlp.width = 64;
  recipe.options.steps = 400;
  const Model model = train(people, recipe, Rng(0));

  const GivenRows smokers{.copies = 2000, .conditions = parse_conditions(*model.schema(), {"smokes=yes"})};
  const Dataset rows = sample_given(model, smokers, Rng(2)).rows;
  save_table("smokers.csv", rows);

  const Tensor children = rows.values.select(1, 1), fee = rows.values.select(1, 2);
  const double with_children = (children > 0).to(at::kDouble).mean().item<double>();
  const double free = (fee == 0).to(at::kDouble).mean().item<double>();
  fmt::print("smokers with children: {:.3f}, in truth 0.75; without a fee: {:.3f}, in truth 0.5\n",
             with_children, free);
  return std::abs(with_children - 0.75) < 0.06 && std::abs(free - 0.5) < 0.06 ? 0 : 1;
}
