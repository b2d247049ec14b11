// A formula as MathML.
#include <algorithm>
#include <optional>

#include "fokker/report/html.h"
#include "fokker/report/math_node.h"

namespace fokker::report {
namespace {

using Node = Math::Node;
using Kind = Node::Kind;

/// A bracket, or one with scripts.
bool closes(const Node& node, std::string_view signs) {
  return is_sign(node, signs) || (node.kind == Kind::scripts && is_sign(node.parts[0], signs));
}

/// What is higher than a letter: brackets around it grow.
bool is_tall(const Node& node) {
  return node.kind == Kind::fraction || node.text == "∑" || node.text == "∏" || node.text == "∫" ||
         std::any_of(node.parts.begin(), node.parts.end(), is_tall);
}

std::string markup_bracket(const Node& sign, bool grows) {
  return fmt::format("<mo stretchy=\"{}\" lspace=\"0\" rspace=\"0\">{}</mo>", grows, escape(sign.text));
}

std::string markup_sign(const Node& sign) {
  if (is_sign(sign, "()[]|")) return markup_bracket(sign, false);
  // Names of operators that an argument follows: without the room of a sum's sign.
  if (sign.text == "E") return "<mi mathvariant=\"normal\">E</mi>";
  if (sign.text == "log" || sign.text == "exp")
    return "<mo lspace=\"0.14em\" rspace=\"0.14em\">" + sign.text + "</mo>";
  if (sign.text == "∇" || sign.text == "KL")
    return "<mo lspace=\"0.1em\" rspace=\"0\">" + sign.text + "</mo>";
  return "<mo>" + escape(sign.text) + "</mo>";
}

/// `base` with the lower and upper script of a node, below and above it where it is a sum or a product.
std::string markup_scripts(const std::string& base, const Node& node) {
  const auto present = [](const Node& script) { return !script.parts.empty() || script.kind != Kind::row; };
  const bool lower = present(node.parts[1]), upper = present(node.parts[2]);
  const bool limits = node.parts[0].text == "∑" || node.parts[0].text == "∏";
  const char* tag = limits ? (lower && upper ? "munderover"
                              : lower        ? "munder"
                                             : "mover")
                           : (lower && upper ? "msubsup"
                              : lower        ? "msub"
                                             : "msup");
  return fmt::format("<{}>{}{}{}</{}>", tag, base, lower ? markup_of(node.parts[1]) : "",
                     upper ? markup_of(node.parts[2]) : "", tag);
}

/// The bracket that closes the one at `open`, or nothing. A bar closes a bar only where it has scripts, as in
/// |s|^2: alone it may be that of q(x|y).
std::optional<size_t> closing_bracket(const std::vector<Node>& parts, size_t open) {
  if (is_sign(parts[open], "|")) {
    for (size_t i = open + 1; i < parts.size() && !is_sign(parts[i], "|"); ++i)
      if (closes(parts[i], "|")) return i;
    return {};
  }
  int depth = 0;
  for (size_t i = open; i < parts.size(); ++i) {
    depth += is_sign(parts[i], "([") ? 1 : closes(parts[i], ")]") ? -1 : 0;
    if (depth == 0) return i;
  }
  return {};
}

/// Brackets with what stands in them are a row of their own, so that they grow with that and with nothing
/// else, and scripts sit at its corner.
std::string markup_row(const std::vector<Node>& parts) {
  std::string all = "<mrow>";
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto end = is_sign(parts[i], "([|") ? closing_bracket(parts, i) : std::nullopt;
    if (!end) {
      all += markup_of(parts[i]);
      continue;
    }
    const std::vector<Node> inner(parts.begin() + static_cast<int64_t>(i) + 1,
                                  parts.begin() + static_cast<int64_t>(*end));
    const bool grows = std::any_of(inner.begin(), inner.end(), is_tall);
    const Node& last = parts[*end];
    const bool scripted = last.kind == Kind::scripts;
    const std::string group = "<mrow>" + markup_bracket(parts[i], grows) + markup_row(inner) +
                              markup_bracket(scripted ? last.parts[0] : last, grows) + "</mrow>";
    all += scripted ? markup_scripts(group, last) : group;
    i = *end;
  }
  return all + "</mrow>";
}

}  // namespace

std::string markup_of(const Math::Node& node) {
  switch (node.kind) {
    case Kind::row:
      return markup_row(node.parts);
    case Kind::letter:
      return "<mi>" + escape(node.text) + "</mi>";
    case Kind::number:
      return "<mn>" + escape(node.text) + "</mn>";
    case Kind::sign:
      return markup_sign(node);
    case Kind::space:
      return "<mspace width=\"0.2em\"/>";
    case Kind::words:
      return "<mtext>" + escape(node.text) + "</mtext>";
    case Kind::fraction:
      return "<mfrac>" + markup_of(node.parts[0]) + markup_of(node.parts[1]) + "</mfrac>";
    case Kind::root:
      return "<msqrt>" + markup_of(node.parts[0]) + "</msqrt>";
    case Kind::bar:
      return "<mover accent=\"true\">" + markup_of(node.parts[0]) + "<mo>¯</mo></mover>";
    case Kind::tilde:
      return "<mover accent=\"true\">" + markup_of(node.parts[0]) + "<mo>~</mo></mover>";
    case Kind::scripts:
      break;
  }
  return markup_scripts(markup_of(node.parts[0]), node);
}

}  // namespace fokker::report
