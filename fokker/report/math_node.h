#pragma once
#include "fokker/report/math.h"

namespace fokker::report {

struct Math::Node {
  enum class Kind { row, letter, number, sign, words, space, fraction, root, bar, tilde, scripts };
  Kind kind = Kind::row;
  std::string text = {};
  std::vector<Node> parts = {};  ///< of scripts: base, lower, upper (an empty row where there is none)
};

/// Whether it is one of these signs.
inline bool is_sign(const Math::Node& node, std::string_view signs) {
  return node.kind == Math::Node::Kind::sign && node.text.size() == 1 &&
         signs.find(node.text[0]) != std::string_view::npos;
}

/// MathML, without the element <math> around it.
std::string markup_of(const Math::Node& node);

}  // namespace fokker::report
