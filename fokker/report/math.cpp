#include "fokker/report/math.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fokker/core/check.h"
#include "fokker/report/math_node.h"

namespace fokker::report {

namespace {

using Node = Math::Node;
using Kind = Node::Kind;

struct NamedSign {
  std::string_view name, sign;
  bool letter = false;
};

constexpr std::array signs = {
    NamedSign{"alpha", "α", true},  NamedSign{"beta", "β", true},  NamedSign{"gamma", "γ", true},
    NamedSign{"eta", "η", true},    NamedSign{"theta", "θ", true}, NamedSign{"epsilon", "ε", true},
    NamedSign{"lambda", "λ", true}, NamedSign{"mu", "μ", true},    NamedSign{"pi", "π", true},
    NamedSign{"sigma", "σ", true},  NamedSign{"phi", "φ", true},   NamedSign{"nabla", "∇"},
    NamedSign{"partial", "∂"},      NamedSign{"int", "∫"},         NamedSign{"sum", "∑"},
    NamedSign{"prod", "∏"},         NamedSign{"cdot", "·"},        NamedSign{"le", "≤"},
    NamedSign{"ge", "≥"},           NamedSign{"ne", "≠"},          NamedSign{"sim", "∼"},
    NamedSign{"to", "→"},           NamedSign{"mid", "|"},         NamedSign{"Vert", "‖"},
    NamedSign{"langle", "⟨"},       NamedSign{"rangle", "⟩"},      NamedSign{"log", "log"},
    NamedSign{"exp", "exp"},        NamedSign{"E", "E"},           NamedSign{"KL", "KL"}};

constexpr std::array superscript_digits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};

bool is_digit_or_point(char c) {
  return (c >= '0' && c <= '9') || c == '.';
}
bool is_latin(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class TexParser {
 public:
  explicit TexParser(std::string_view tex) : tex_(tex) {}

  Node whole() {
    Node row = sequence('\0');
    check(at_ == tex_.size(), "formula '{}': position {}: expected no more", tex_, at_ + 1);
    return row;
  }

 private:
  char next() const { return at_ < tex_.size() ? tex_[at_] : '\0'; }
  void expect(char c) {
    check(next() == c, "formula '{}': position {}: expected '{}'", tex_, at_ + 1, c);
    ++at_;
  }

  Node sequence(char end) {
    Node row;
    while (at_ < tex_.size() && next() != end) {
      if (next() == ' ') {
        ++at_;
        continue;
      }
      row.parts.push_back(with_scripts(atom()));
    }
    return row;
  }

  Node group() {
    expect('{');
    Node row = sequence('}');
    expect('}');
    return row;
  }

  Node script() { return next() == '{' ? group() : atom(); }

  Node with_scripts(Node base) {
    Node lower, upper;
    bool any = false;
    while (next() == '_' || next() == '^') {
      const bool down = next() == '_';
      ++at_;
      (down ? lower : upper) = script();
      any = true;
    }
    if (!any) return base;
    return {Kind::scripts, "", {std::move(base), std::move(lower), std::move(upper)}};
  }

  Node atom() {
    const char c = next();
    check(c != '\0', "formula '{}': expected more", tex_);
    if (c == '{') return group();
    if (c == '\\') return command();
    if (is_digit_or_point(c)) {
      const size_t begin = at_;
      while (is_digit_or_point(next())) ++at_;
      return {Kind::number, std::string(tex_.substr(begin, at_ - begin)), {}};
    }
    ++at_;
    if (is_latin(c)) return {Kind::letter, std::string(1, c), {}};
    check(std::string_view("+-=()[]|,;:!/<>'.*").find(c) != std::string_view::npos,
          "formula '{}': position {}: unknown sign '{}'", tex_, at_, c);
    return {Kind::sign, c == '-' ? "−" : std::string(1, c), {}};
  }

  Node command() {
    const size_t begin = ++at_;
    if (next() == ',') {
      ++at_;
      return {Kind::space, " ", {}};
    }
    while (is_latin(next())) ++at_;
    const std::string_view name = tex_.substr(begin, at_ - begin);
    if (name == "frac") {
      Node above = group(), below = group();
      return {Kind::fraction, "", {std::move(above), std::move(below)}};
    }
    if (name == "sqrt") return {Kind::root, "", {group()}};
    if (name == "bar") return {Kind::bar, "", {group()}};
    if (name == "tilde") return {Kind::tilde, "", {group()}};
    if (name == "text") return words();
    for (const NamedSign& s : signs)
      if (s.name == name) return {s.letter ? Kind::letter : Kind::sign, std::string(s.sign), {}};
    fail(ErrorKind::argument, "formula '{}': unknown command '\\{}'", tex_, name);
  }

  Node words() {
    expect('{');
    const size_t end = tex_.find('}', at_);
    check(end != std::string_view::npos, "formula '{}': expected '}}' after \\text", tex_);
    Node node{Kind::words, std::string(tex_.substr(at_, end - at_)), {}};
    at_ = end + 1;
    return node;
  }

  std::string_view tex_;
  size_t at_ = 0;
};

std::string plain(const Node& node);

/// A letter, or one with scripts.
bool is_letter(const Node& node) {
  return node.kind == Kind::letter || (node.kind == Kind::scripts && is_letter(node.parts[0]));
}

/// Whether two neighbours need a blank between them, where a formula has none: "√ᾱ_t x_0", "1/2 (a + b)", "a
/// x_1", but "dx_1".
bool needs_blank(const Node& left, const Node& right) {
  const auto structured = [](const Node& n) { return n.kind >= Kind::fraction; };
  const bool high = left.kind == Kind::fraction || left.kind == Kind::root;
  if (right.kind == Kind::sign)
    return (high && is_sign(right, "([")) || (structured(left) && right.text == "∇");
  if (right.kind == Kind::scripts && is_sign(right.parts[0], ")]|")) return false;
  if (is_sign(left, ")]") || left.text == "E") return is_letter(right);
  if (left.kind == Kind::letter) return right.kind == Kind::scripts && is_letter(right) && left.text != "d";
  return structured(left) && (right.kind == Kind::letter || structured(right));
}

std::string plain_row(const Node& row) {
  std::string text;
  const Node* before = nullptr;
  for (const Node& part : row.parts) {
    const std::string one = plain(part);
    if (before && needs_blank(*before, part) && !text.ends_with(' ')) text += " ";
    before = &part;
    static constexpr std::string_view spaced[] = {"+", "−", "=", "≤", "≥", "≠", "∼", "→", "·"};
    const bool space =
        part.kind == Kind::sign && std::find(std::begin(spaced), std::end(spaced), one) != std::end(spaced);
    const bool start = text.empty() || text.ends_with('(') || text.ends_with('[') || text.ends_with(' ');
    if (space && !(one == "−" && start)) {
      text += (text.ends_with(' ') ? "" : " ") + one + " ";
      continue;
    }
    const bool word = one == "log" || one == "exp" || one == "KL" || part.kind == Kind::words;
    if (word && !text.empty() && !text.ends_with(' ') && !text.ends_with('(') && !text.ends_with('['))
      text += " ";
    text += one;
    if (one == "," || ((one == "log" || one == "exp") && part.kind == Kind::sign)) text += " ";
  }
  return text;
}

bool is_single(const Node& node) {
  if (node.kind == Kind::row)
    return node.parts.size() <= 1 && (node.parts.empty() || is_single(node.parts[0]));
  return node.kind != Kind::fraction;
}

std::string in_parentheses(const Node& node) {
  const std::string text = plain(node);
  return is_single(node) ? text : "(" + text + ")";
}

std::string plain_scripts(const Node& node) {
  std::string text = plain(node.parts[0]);
  const auto part = [](const Node& script) {
    std::string one = plain(script);
    std::erase(one, ' ');  // "t−1", and not "t − 1" as on the line
    return is_single(script) ? one : "{" + one + "}";
  };
  if (!node.parts[1].parts.empty() || node.parts[1].kind != Kind::row) text += "_" + part(node.parts[1]);
  const Node& upper = node.parts[2];
  if (upper.parts.empty() && upper.kind == Kind::row) return text;
  const std::string one = plain(upper);
  if (one.size() == 1 && one[0] >= '0' && one[0] <= '9')
    return text + superscript_digits[static_cast<size_t>(one[0] - '0')];
  return text + "^" + part(upper);
}

std::string plain(const Node& node) {
  switch (node.kind) {
    case Kind::row:
      return plain_row(node);
    case Kind::fraction:
      return in_parentheses(node.parts[0]) + "/" + in_parentheses(node.parts[1]);
    case Kind::root:
      return "√" + in_parentheses(node.parts[0]);
    case Kind::bar:
      return plain(node.parts[0]) + "\u0304";
    case Kind::tilde:
      return plain(node.parts[0]) + "\u0303";
    case Kind::scripts:
      return plain_scripts(node);
    default:
      return node.text;
  }
}

}  // namespace

Math::Math(std::string_view tex) : root_(std::make_unique<Node>(TexParser(tex).whole())) {}
Math::~Math() = default;
Math::Math(Math&&) noexcept = default;
Math& Math::operator=(Math&&) noexcept = default;

std::string Math::text() const {
  return plain(*root_);
}

std::string Math::mathml() const {
  return "<math display=\"block\">" + markup_of(*root_) + "</math>";
}

}  // namespace fokker::report
