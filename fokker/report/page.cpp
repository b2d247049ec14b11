#include "fokker/report/page.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/version.h"
#include "fokker/report/html.h"
#include "fokker/report/math.h"
#include "fokker/report/page_assets.h"

namespace fokker::report {
namespace {

/// <name>text</name>
std::string element(const char* name, const std::string& text) {
  return fmt::format("<{}>{}</{}>", name, escape(text), name);
}

/// A <source> for readers of whom all of `media` holds; nothing without a picture for them.
std::string source(const std::string& picture, const char* media) {
  return picture.empty() ? ""
                         : fmt::format("<source media=\"{}\" srcset=\"{}\">", media, safe_source(picture));
}

/// An <img>, inside a <picture> where the dark theme or readers who want no motion have their own.
std::string image(const Picture& p) {
  check(!p.alt.empty(), "Page: expected an alternative text for a picture");
  const std::string img =
      fmt::format("<img src=\"{}\" alt=\"{}\" width=\"{}\" height=\"{}\"{}>", safe_source(p.light),
                  escape(p.alt), p.width, p.height, p.pixelated ? " class=\"pixelated\"" : "");
  // The first source that fits is taken.
  const std::string sources =
      source(p.still_dark, "(prefers-reduced-motion: reduce) and (prefers-color-scheme: dark)") +
      source(p.still, "(prefers-reduced-motion: reduce)") + source(p.dark, "(prefers-color-scheme: dark)");
  return sources.empty() ? img : fmt::format("<picture>{}{}</picture>", sources, img);
}

std::string figure_element(const Figure& figure, const char* opening, const char* closing) {
  std::string text = fmt::format("<figure>{}", opening);
  text += figure.link.empty()
              ? image(figure.picture)
              : fmt::format("<a href=\"{}\">{}</a>", safe_address(figure.link), image(figure.picture));
  text += closing;
  if (!figure.caption.empty())
    text += fmt::format("<figcaption>{}</figcaption>", escape_with_mathematics(figure.caption));
  return text + "</figure>\n";
}

std::string list(const char* name, const Pairs& items, const char* opening, const char* closing) {
  std::string text = fmt::format("<dl class=\"{}\">\n", name);
  for (const auto& [key, value] : items)
    text += fmt::format("{}{}{}{}\n", opening, element("dt", key), element("dd", value), closing);
  return text + "</dl>\n";
}

}  // namespace

Page::Page(std::string title, std::string summary) : title_(std::move(title)), summary_(std::move(summary)) {}

Page& Page::section(const std::string& heading) {
  const std::string id = fmt::format("section-{}", contents_.size() + 1);
  body_ += fmt::format("{}<section aria-labelledby=\"{}\">\n<h2 id=\"{}\">{}</h2>\n",
                       contents_.empty() ? "" : "</section>\n", id, id, escape(heading));
  contents_.emplace_back(id, heading);
  return *this;
}

Page& Page::heading(const std::string& text) {
  body_ += element(contents_.empty() ? "h2" : "h3", text) + "\n";
  return *this;
}

Page& Page::paragraph(const std::string& text) {
  body_ += element("p", text) + "\n";
  return *this;
}

Page& Page::prose(const std::string& text) {
  body_ += "<p>" + escape_with_mathematics(text) + "</p>\n";
  return *this;
}

Page& Page::note(const std::string& text) {
  body_ += fmt::format("<p class=\"note\" role=\"note\">{}</p>\n", escape(text));
  return *this;
}

Page& Page::formula(const std::string& tex) {
  body_ += "<div class=\"formula\">" + Math(tex).mathml() + "</div>\n";
  return *this;
}

Page& Page::facts(const Pairs& items) {
  body_ += list("facts", items, "", "");
  return *this;
}

Page& Page::highlights(const Pairs& items) {
  body_ += list("highlights", items, "<div>", "</div>");
  return *this;
}

Page& Page::table(const Table& table) {
  check(!table.caption.empty(), "Page: expected a caption for a table");
  const std::string id = fmt::format("table-{}", ++tables_);
  body_ += table.folded ? fmt::format("<details><summary id=\"{}\">{}</summary>\n", id, escape(table.caption))
                        : fmt::format("<p class=\"caption\" id=\"{}\">{}</p>\n", id, escape(table.caption));
  body_ += fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{}\">\n<table "
      "aria-labelledby=\"{}\">\n",
      id, id);
  body_ += "<thead><tr>";
  for (const std::string& column : table.columns)
    body_ += fmt::format("<th scope=\"col\">{}</th>", escape(column));
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    check(row.size() == table.columns.size(), "Page: expected rows of {} cells but received one of {}",
          table.columns.size(), row.size());
    body_ += "<tr>";
    for (size_t i = 0; i < row.size(); ++i)
      body_ += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escape(row[i])) : element("td", row[i]);
    body_ += "</tr>\n";
  }
  body_ += fmt::format("</tbody>\n</table>\n</div>{}\n", table.folded ? "</details>" : "");
  return *this;
}

Page& Page::figures(const std::vector<Figure>& figures) {
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures) {
    note_source(figure.picture.light);
    body_ += figure_element(figure, "", "");
  }
  body_ += "</div>\n";
  return *this;
}

Page& Page::wide_figure(const Figure& figure) {
  note_source(figure.picture.light);
  const std::string opening =
      fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">",
                  escape("Picture that scrolls sideways: " + figure.picture.alt));
  body_ += figure_element(figure, opening.c_str(), "</div>");
  return *this;
}

Page& Page::folded(const std::string& summary, const std::string& text) {
  body_ += fmt::format("<details>{}<pre tabindex=\"0\">{}</pre></details>\n", element("summary", summary),
                       escape(text));
  return *this;
}

Page& Page::links(const Pairs& items) {
  body_ += "<ul class=\"links\">";
  for (const auto& [text, address] : items)
    body_ += fmt::format("<li><a href=\"{}\">{}</a></li>", safe_address(address), escape(text));
  body_ += "</ul>\n";
  return *this;
}

void Page::note_source(const std::string& source) {
  safe_source(source);
  files_ = files_ || !source.starts_with("data:");
}

/// Nothing but the page's own style, its own script and pictures: each script and style by its hash.
std::string Page::policy() const {
  return fmt::format(
      "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:{}; style-src {}; script-src {}",
      files_ ? " 'self' file:" : "", policy_hash(page_style),
      scripted_ ? policy_hash(page_script) : "'none'");
}

std::string Page::html() const {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n"
      "<meta name=\"generator\" content=\"fokker {}\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to "
      "the "
      "content</a>\n<div class=\"page\">\n<header>\n<h1>{}</h1>\n<p class=\"summary\">{}</p>\n",
      policy(), library_version(), escape(title_), page_style, escape(title_), escape(summary_));
  if (contents_.size() > 2) {
    text += "<nav aria-label=\"Contents\"><ul>";
    for (const auto& [id, heading] : contents_)
      text += fmt::format("<li><a href=\"#{}\">{}</a></li>", id, escape(heading));
    text += "</ul></nav>\n";
  }
  text += fmt::format(
      "</header>\n<main id=\"content\">\n{}{}</main>\n<footer>Written by fokker {}.</footer>\n</div>\n",
      body_, contents_.empty() ? "" : "</section>\n", library_version());
  if (scripted_) text += fmt::format("<script>{}</script>\n", page_script);
  return text + "</body>\n</html>\n";
}

void Page::save(const std::filesystem::path& file) const {
  write_file_atomically(file, html());
}

}  // namespace fokker::report
