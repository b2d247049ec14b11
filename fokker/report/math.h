#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fokker::report {

/// A formula in a small part of TeX: letters, digits, operators, ^ and _ with one sign or a {group},
/// \frac{}{}, \sqrt{}, \bar{}, \tilde{}, \text{}, and \, for a blank, and signs by name (\alpha, \nabla,
/// \int, \sum, \le, ...). It is shown as plain Unicode in a terminal and as MathML on a page, where every
/// letter of it is escaped. Argument error where it is not such a formula.
class Math {
 public:
  explicit Math(std::string_view tex);
  ~Math();
  Math(Math&&) noexcept;
  Math& operator=(Math&&) noexcept;

  /// "√ᾱ_t x_0", "(a + b)/c".
  std::string text() const;
  /// <math display="block">...</math>
  std::string mathml() const;

  struct Node;

 private:
  std::unique_ptr<Node> root_;
};

}  // namespace fokker::report
