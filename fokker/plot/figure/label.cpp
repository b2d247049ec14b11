#include "fokker/plot/figure/label.h"

#include <array>
#include <cstdint>
#include <utility>

namespace fokker::plot {
namespace {

using Level = TextRun::Level;

constexpr std::array<std::pair<std::string_view, std::string_view>, 50> kSymbols{{
    {"alpha", "α"},  {"beta", "β"},    {"gamma", "γ"}, {"delta", "δ"},  {"epsilon", "ε"}, {"zeta", "ζ"},
    {"eta", "η"},    {"theta", "θ"},   {"kappa", "κ"}, {"lambda", "λ"}, {"mu", "μ"},      {"nu", "ν"},
    {"xi", "ξ"},     {"pi", "π"},      {"rho", "ρ"},   {"sigma", "σ"},  {"tau", "τ"},     {"phi", "φ"},
    {"chi", "χ"},    {"psi", "ψ"},     {"omega", "ω"}, {"Gamma", "Γ"},  {"Delta", "Δ"},   {"Theta", "Θ"},
    {"Lambda", "Λ"}, {"Pi", "Π"},      {"Sigma", "Σ"}, {"Phi", "Φ"},    {"Psi", "Ψ"},     {"Omega", "Ω"},
    {"nabla", "∇"},  {"partial", "∂"}, {"times", "×"}, {"cdot", "·"},   {"infty", "∞"},   {"sqrt", "√"},
    {"approx", "≈"}, {"leq", "≤"},     {"geq", "≥"},   {"neq", "≠"},    {"pm", "±"},      {"to", "→"},
    {"int", "∫"},    {"sum", "∑"},     {"prod", "∏"},  {"sim", "∼"},    {"in", "∈"},      {"log", "log"},
    {"exp", "exp"},  {"ell", "ℓ"},
}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) > 127;
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_letter(c);
}

class LabelParser {
 public:
  explicit LabelParser(std::string text) : text_(std::move(text)) {}

  std::vector<TextRun> parse() {
    while (position_ < text_.size()) step();
    return std::move(runs_);
  }

 private:
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  void step() {
    const char c = at(position_);
    if (c == '\\' && symbol(Level::base)) return;
    if (c == '_' && after_single_letter() && script(Level::subscript)) return;
    if (c == '^' && position_ > 0 && at(position_ - 1) != ' ' && script(Level::superscript)) return;
    append(text_.substr(position_++, 1), Level::base);
  }

  void append(std::string_view text, Level level) {
    if (runs_.empty() || runs_.back().level != level) runs_.push_back({"", level});
    runs_.back().text += text;
  }

  /// Reads \name at the position; false, and nothing read, where the name is unknown.
  bool symbol(Level level) {
    size_t end = position_ + 1;
    while (is_letter(at(end))) ++end;
    const std::string_view name = std::string_view(text_).substr(position_ + 1, end - position_ - 1);
    for (const auto& [known, sign] : kSymbols) {
      if (name != known) continue;
      append(sign, level);
      symbol_end_ = position_ = end;
      return true;
    }
    return false;
  }

  bool after_single_letter() const {
    if (position_ == 0) return false;
    if (symbol_end_ == position_ || at(position_ - 1) == ')') return true;
    // A byte above 127 ends a letter of another script, such as a Greek one typed directly.
    const char before = at(position_ - 1);
    if (is_beyond_ascii(before)) return true;
    return is_letter(before) &&
           (position_ == 1 || !(is_alphanumeric(at(position_ - 2)) || at(position_ - 2) == '_'));
  }

  /// Reads what follows _ or ^: {group}, \name, digits with an optional minus, or one letter
  /// alone.
  bool script(Level level) {
    const size_t start = position_ + 1;
    if (at(start) == '{') return group(level);
    if (at(start) == '\\') {
      ++position_;
      if (symbol(level)) return true;
      --position_;
      return false;
    }
    size_t end = start + (level == Level::superscript && at(start) == '-' ? 1 : 0);
    const size_t first = end;
    while (is_digit(at(end))) ++end;
    if (end == first && is_letter(at(end)) && !is_alphanumeric(at(end + 1))) ++end;
    if (end == first && is_beyond_ascii(at(end)))  // one letter of another script
      for (++end; (at(end) & 0xC0) == 0x80;) ++end;
    if (end == first || is_letter(at(end))) return false;
    append(with_minus(text_.substr(start, end - start)), level);
    position_ = end;
    return true;
  }

  bool group(Level level) {
    const size_t close = text_.find('}', position_);
    if (close == std::string::npos) return false;
    position_ += 2;
    while (position_ < close) {
      if (at(position_) == '\\' && symbol(level)) continue;
      append(with_minus(text_.substr(position_++, 1)), level);
    }
    position_ = close + 1;
    return true;
  }

  static std::string with_minus(std::string text) {
    if (!text.empty() && text[0] == '-') text.replace(0, 1, "−");
    return text;
  }

  std::string text_;
  size_t position_ = 0;
  size_t symbol_end_ = std::string::npos;
  std::vector<TextRun> runs_;
};

/// Bytes of the valid UTF-8 character that starts at `i`; 0 where there is none.
size_t character_length(std::string_view text, size_t i) {
  auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
  const uint32_t lead = byte(0);
  const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (size_t k = 1; k < length; ++k) {
    if (byte(k) >> 6 != 2) return 0;
    code = code << 6 | (byte(k) & 63);
  }
  constexpr std::array<uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < smallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  for (size_t i = 0; i < text.size();) {
    const size_t length = character_length(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0)
      clean += "\xEF\xBF\xBD";
    else if (byte < 32 || byte == 127)
      clean += ' ';
    else
      clean += text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  return clean;
}

std::vector<TextRun> parse_label(std::string_view label) {
  return LabelParser(clean_text(label)).parse();
}

std::string plain_label(std::string_view label) {
  std::string text;
  for (const TextRun& run : parse_label(label)) {
    if (run.level == Level::subscript) text += '_';
    if (run.level == Level::superscript) text += '^';
    text += run.text;
  }
  return text;
}

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace fokker::plot
