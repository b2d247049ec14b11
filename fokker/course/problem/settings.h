#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fokker/target/gaussian_mixture.h"

/// What a reader may choose of a check's or a figure's problem: `fokker verify ID --set
/// sigma=3,target=my.json`.
namespace fokker::course {

using Laws = std::vector<GaussianMixture>;
using Betas = std::vector<double>;

/// Laws that a problem can be solved for. What lies outside is refused before the work.
struct LawLimits {
  int64_t least_dimension = 1, most_dimension = 1;
  bool points = false;  ///< whether components may be points
  /// Deviations of components (where they are not zero) and distances of their means from the origin.
  double least_deviation = 0.03, most_deviation = 30, reach = 60;
  int64_t most_components = 12;
};

/// One thing that may be chosen: a number, a law (TARGET), or a table of betas.
struct Setting {
  using Value = std::variant<double, int64_t, Laws, Betas>;
  std::string name, meaning;
  std::string usual;  ///< its default, as it is listed
  std::string range;  ///< "0.1 to 20"
  std::function<Value()> initial;
  /// Argument error, or input error of a file, that begins with `place`.
  std::function<Value(const std::string& place, const std::string& text)> parse;

  static Setting real(std::string name, double usual, double least, double most, std::string meaning);
  static Setting integer(std::string name, int64_t usual, int64_t least, int64_t most, std::string meaning);
  /// A Gaussian mixture: a named one, a JSON file, or data:FILE where points are allowed. The default may
  /// be several laws that are tried in turn.
  static Setting law(std::function<Laws()> initial, std::string usual, LawLimits limits = {});
  /// FILE of numbers, linear:steps=,first=,last= or constant:steps=,beta=.
  static Setting betas(std::function<Betas()> initial, std::string usual, int64_t most_steps = 1000);
};

/// What was asked for: names and texts, in the order given.
using Changes = std::vector<std::pair<std::string, std::string>>;

/// One of several problems that the same changes are meant for.
struct Owner {
  std::string name;
  const std::vector<Setting>* declared;
};
/// What one of them takes.
struct Share {
  Changes taken;
  std::vector<std::string> left;  ///< what it cannot use, with the reason: "sigma (it has no such setting)"
};
/// Shares out `changes`, texts "key=value,key=value": each problem takes those that it declares and whose
/// value it can use. A comma separates two settings where a declared name follows it; otherwise it belongs to
/// the value, as in target=eight-gaussians:radius=3,deviation=0.2. Argument errors: a change that none takes
/// (listing the names that some do), a name given twice; input errors: a file.
std::vector<Share> shares_of(const std::vector<Owner>& owners, const std::vector<std::string>& changes);

/// The value of every setting that a problem declares.
class Settings {
 public:
  Settings() = default;
  /// `owner` stands before messages. Argument errors: an unknown name (listing the valid ones), a value out
  /// of range; input errors: a file.
  Settings(const std::string& owner, const std::vector<Setting>& declared, Changes changes = {});

  double real(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  /// Where the default is one law.
  const GaussianMixture& law(std::string_view name = "target") const;
  const Laws& laws(std::string_view name = "target") const;
  const Betas& betas(std::string_view name = "table") const;
  /// What was changed, as it was given.
  const Changes& changes() const { return changes_; }
  bool changed(std::string_view name) const;

 private:
  template <typename Kind>
  const Kind& get(std::string_view name) const;
  std::string owner_;
  std::vector<std::pair<std::string, Setting::Value>> values_;
  Changes changes_;
};

}  // namespace fokker::course
