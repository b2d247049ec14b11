#include "fokker/data/columns.h"

#include "data/damage.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names = std::vector<std::string>;

ColumnMatch matched(const Names& file, const Names& model, bool named = true, const std::string& label = "",
                    bool chosen = false) {
  return match_columns("d.csv", {file, named},
                       {.owner = "the model", .names = model, .label = label, .chosen = chosen});
}
std::string refused(const Names& file, const Names& model, bool named = true, const std::string& label = "") {
  return error_of([&] { matched(file, model, named, label); });
}

TEST(Columns, AreFoundByNameInAnyOrder) {
  const ColumnMatch match = matched({"b", "a"}, {"a", "b"});
  EXPECT_THAT(match.columns, ElementsAre("a", "b"));
  EXPECT_THAT(match.notes, IsEmpty());
  // Names of the form x0, x1 are names as others where they stand in another order.
  EXPECT_THAT(matched({"x1", "x0"}, {"x0", "x1"}).columns, ElementsAre("x0", "x1"));
}

TEST(Columns, OthersAreLeftOutAndSaid) {
  const ColumnMatch match = matched({"id", "b", "a", "text"}, {"a", "b"});
  EXPECT_THAT(match.columns, ElementsAre("a", "b"));
  EXPECT_THAT(match.notes, ElementsAre("columns 'id', 'text' left out, which the model has not"));
  EXPECT_THAT(matched({"x0", "x1", "x2"}, {"x0", "x1"}).notes, ElementsAre(HasSubstr("'x2' left out")));
}

TEST(Columns, MissingOnesAreNamed) {
  EXPECT_EQ(refused({"a", "z"}, {"a", "b"}),
            "d.csv: no column 'b', which the model has: its columns are a, z");
  EXPECT_THAT(refused({"u", "v"}, {"a", "b"}), HasSubstr("no columns 'a', 'b', which"));
  EXPECT_THAT(refused({"a"}, {"a", "b"}), HasSubstr("no column 'b'"));
  for (const char* close : {"B", " b", "b_", "-b"})
    EXPECT_THAT(refused({"a", close}, {"a", "b"}), HasSubstr("differs in case, blanks or dashes only"))
        << close;
}

TEST(Columns, LabelsAreFoundBesideThem) {
  const ColumnMatch match = matched({"y", "a", "b"}, {"a", "b"}, true, "y");
  EXPECT_EQ(match.label, "y");
  EXPECT_THAT(match.columns, ElementsAre("a", "b"));
  EXPECT_THAT(match.notes, IsEmpty());
  EXPECT_EQ(matched({"a", "b"}, {"a", "b"}, true, "y").label, "");
  EXPECT_THAT(refused({"a", "b", "Y"}, {"a", "b"}, true, "y"), HasSubstr("no column 'y' of labels"));
  // Without a header the names are places: the label's is known too.
  EXPECT_EQ(matched({"x0", "x1", "x2"}, {"x0", "x1"}, false, "x2").label, "x2");
}

TEST(Columns, WithoutNamesAreMatchedByPlaceAndSaid) {
  EXPECT_THAT(matched({"x0", "x1"}, {"x0", "x1"}, false).notes, IsEmpty());
  const ColumnMatch array = matched({"x0", "x1"}, {"a", "b"}, false);
  EXPECT_THAT(array.columns, ElementsAre("x0", "x1"));
  EXPECT_THAT(array.notes,
              ElementsAre("it has no names of columns: x0, x1 are taken in this order for a, b"));
  // A header that fokker wrote for want of names.
  EXPECT_THAT(matched({"x0", "x1"}, {"a", "b"}).notes, ElementsAre(HasSubstr("it has no names")));
  const ColumnMatch model = matched({"a", "b"}, {"x0", "x1"});
  EXPECT_THAT(model.columns, ElementsAre("a", "b"));
  EXPECT_THAT(model.notes,
              ElementsAre("the model has no names of columns: a, b are taken in this order for x0, x1"));
  EXPECT_THAT(refused({"x0", "x1", "x2"}, {"a", "b"}, false), HasSubstr("expected 2 columns, a, b, as"));
  EXPECT_THAT(refused({"x0", "x1", "x2"}, {"x0", "x1"}, false), HasSubstr("but found 3"));
  EXPECT_THAT(refused({"x0"}, {"x0", "x1"}, false), HasSubstr("expected 2 columns"));
  EXPECT_THAT(refused({"a", "b", "c"}, {"x0", "x1"}), HasSubstr("expected 2 columns, x0, x1, as"));
  // Where one name is found, the others are names too.
  EXPECT_THAT(refused({"x0", "z"}, {"x0", "x1"}), HasSubstr("no column 'x1'"));
  EXPECT_THAT(refused({"x0", "x1"}, {"x0", "b"}), HasSubstr("no column 'b'"));
  // x1 and x0 are not the places of a, b.
  EXPECT_THAT(refused({"x1", "x0"}, {"a", "b"}), HasSubstr("no columns 'a', 'b'"));
  // Chosen in training by their places.
  EXPECT_THAT(matched({"x0", "x1", "x2"}, {"x2", "x0"}, false, "", true).columns, ElementsAre("x2", "x0"));
}

}  // namespace
}  // namespace fokker
