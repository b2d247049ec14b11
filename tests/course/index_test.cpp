// docs/index-of-statements.md against the checks and the pictures: no id missing on either side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "fokker/course/gallery/gallery.h"
#include "fokker/course/verify/suite.h"

namespace fokker {
namespace {

/// A row of the index: its place, and the code spans of what shows it.
struct IndexRow {
  std::string place, shown;
  std::vector<std::string> spans;
};

std::vector<IndexRow> index_rows() {
  std::ifstream file(FOKKER_SOURCE_DIR "/docs/index-of-statements.md");
  std::vector<IndexRow> rows;
  const std::regex row(R"(\| ([^|]+) \| ([^|]+) \| ([^|]+) \|)"), span("`([^`]+)`");
  for (std::string text; std::getline(file, text);) {
    std::smatch found;
    if (!std::regex_match(text, found, row) || found[3] == "Shown by") continue;
    IndexRow entry{found[1].str() + ": " + found[2].str(), found[3], {}};
    for (std::sregex_iterator i(entry.shown.begin(), entry.shown.end(), span), end; i != end; ++i)
      entry.spans.push_back((*i)[1]);
    rows.push_back(entry);
  }
  return rows;
}

bool is_of_a_source(const std::string& id) {
  return std::regex_search(id, std::regex(R"(^s[0-3]\.)"));
}

/// The checks and pictures of the four sources.
std::set<std::string> known_ids() {
  std::set<std::string> ids;
  for (const verify::Check& c : verify::all_checks())
    if (is_of_a_source(c.id)) ids.insert(c.id);
  for (const gallery::Item& item : gallery::all_items())
    if (is_of_a_source(item.id)) ids.insert(item.id);
  return ids;
}

/// Those that a span names: itself, or all that begin as it does before its `*`. A picture has two parts and
/// a check three, so `*` stands for parts of one kind.
std::set<std::string> named_by(const std::string& span, const std::set<std::string>& known) {
  std::set<std::string> named;
  for (const std::string& id : known)
    if (span.ends_with('*') ? id.starts_with(span.substr(0, span.size() - 1)) : id == span) named.insert(id);
  return named;
}

TEST(StatementIndex, HasARowForEachDocument) {
  EXPECT_GT(index_rows().size(), 150u);
}

/// What README and verify.md claim, by this index and the suites themselves.
TEST(StatementIndex, ReadmeCountsWhatThereIs) {
  const auto text_of = [](const char* name) {
    std::ifstream file(std::string(FOKKER_SOURCE_DIR "/") + name);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  };
  const auto rows = index_rows();
  const auto background = static_cast<size_t>(std::count_if(
      rows.begin(), rows.end(), [](const IndexRow& row) { return row.shown.starts_with("Background: "); }));
  const std::string readme = text_of("README.md"), theory = text_of("docs/verify.md");
  EXPECT_THAT(readme, testing::HasSubstr(fmt::format("{} checks of theorems", verify::all_checks().size())));
  EXPECT_THAT(readme,
              testing::HasSubstr(fmt::format("Three of the {} pictures", gallery::all_items().size())));
  EXPECT_THAT(readme, testing::HasSubstr(fmt::format("of the {} entries in the index", rows.size())));
  EXPECT_THAT(readme, testing::HasSubstr(fmt::format("{} are shown by a check", rows.size() - background)));
  EXPECT_THAT(readme, testing::HasSubstr(fmt::format("and {} are background", background)));
  EXPECT_THAT(theory, testing::HasSubstr(fmt::format("has {} lines for them: {} are shown", rows.size(),
                                                     rows.size() - background)));
}

TEST(StatementIndex, EveryIdExistsAndNoRowIsEmpty) {
  const auto known = known_ids();
  for (const IndexRow& row : index_rows()) {
    const bool background = row.shown.starts_with("Background: ");
    EXPECT_TRUE(background || !row.spans.empty()) << row.place;
    for (const std::string& span : row.spans)
      EXPECT_TRUE(span.starts_with("fokker ") || !named_by(span, known).empty())
          << row.place << " names " << span;
  }
}

TEST(StatementIndex, EveryCheckAndPictureIsListed) {
  const auto known = known_ids();
  std::set<std::string> listed;
  for (const IndexRow& row : index_rows())
    for (const std::string& span : row.spans) listed.merge(named_by(span, known));
  for (const std::string& id : known) EXPECT_TRUE(listed.contains(id)) << id;
}

}  // namespace
}  // namespace fokker
