// The gallery as a whole: which pictures there are, and that each depends on its id and the seed alone.
#include "fokker/course/gallery/gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "expect_error.h"
#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/core/stop.h"
#include "fokker/course/gallery/workshop.h"
#include "folder.h"

namespace fokker::gallery {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class GalleryFolder : public FolderTest {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "alone");
    fs::create_directories(folder_ / "together");
  }
  std::string bytes(const char* run, const std::string& name) const {
    return read_file(folder_ / run / name);
  }
};

std::string refusal(const std::function<void()>& work) {
  return refusal_of(work, ErrorKind::argument);
}

TEST(GalleryItems, EveryIdExistsOnceAndSaysItsSource) {
  std::set<std::string> ids;
  for (const Item& item : all_items()) {
    EXPECT_TRUE(ids.insert(item.id).second) << item.id;
    // "s3.forward" is of S3; groups of another name are of the library itself and cite papers.
    if (std::isdigit(static_cast<unsigned char>(item.id[1]))) {
      EXPECT_EQ(item.source.substr(0, 2), "S" + item.id.substr(1, 1)) << item.id;
    }
    EXPECT_FALSE(item.source.empty()) << item.id;
    for (const std::string* text : {&item.title, &item.caption, &item.alt})
      EXPECT_FALSE(text->empty()) << item.id;
  }
}

TEST(GalleryItems, GroupsAndIdsSelectInTheGallerysOrder) {
  EXPECT_EQ(select({}).size(), all_items().size());
  const auto chosen = select({"s3.sde", "s2"});
  ASSERT_GT(chosen.size(), 2u);
  EXPECT_EQ(chosen.front()->id.substr(0, 3), "s2.");
  EXPECT_EQ(chosen.back()->id, "s3.sde");
  EXPECT_EQ(select({"s3.sde", "s3.sde"}).size(), 1u);
}

TEST(GalleryItems, UnknownIdsAreRefusedWithTheValidOnes) {
  const std::string text = refusal([] { select({"s3.forwards"}); });
  EXPECT_THAT(text, HasSubstr("no picture is named 's3.forwards'"));
  for (const Item& item : all_items()) EXPECT_THAT(text, HasSubstr(item.id));
}

/// Beside others, on two threads, an item has the bytes that it has alone; another seed draws another
/// picture.
TEST_F(GalleryFolder, AnItemAloneEqualsItselfInARun) {
  draw(select({"s3.forward"}), folder_ / "alone", {.seed = 3, .themes = Themes::light});
  draw(select({"s1.posterior", "s3.forward", "s3.noise"}), folder_ / "together",
       {.seed = 3, .themes = Themes::both, .threads = 2});
  for (const char* name : {"s3.forward.png", "s3.forward.svg"})
    EXPECT_EQ(bytes("alone", name), bytes("together", name)) << name;
  EXPECT_NE(bytes("together", "s3.forward.png"), bytes("together", "s3.forward.dark.png"));
  draw(select({"s3.forward"}), folder_ / "alone", {.seed = 4, .themes = Themes::light});
  EXPECT_NE(bytes("alone", "s3.forward.png"), bytes("together", "s3.forward.png"));
}

/// Drawing one item again leaves the others on the page; a picture in the other theme joins its own.
TEST_F(GalleryFolder, ThePageKeepsWhatLiesThere) {
  const fs::path alone = folder_ / "alone";
  draw(select({"s1.posterior"}), alone, {.themes = Themes::light});
  draw(select({"s1.embedding"}), alone, {.seed = 7, .themes = Themes::light});
  draw(select({"s1.posterior"}), alone, {.themes = Themes::dark});
  const std::string page = bytes("alone", "index.html");
  EXPECT_THAT(page, HasSubstr("src=\"s1.posterior.png\""));
  EXPECT_THAT(page, HasSubstr("srcset=\"s1.posterior.dark.png\""));
  EXPECT_THAT(page, HasSubstr("fokker gallery --out . s1.embedding --seed 7"));
  EXPECT_EQ(page.find("s1.embedding.dark"), std::string::npos);
  EXPECT_EQ(page.find("s0.bridge"), std::string::npos);
}

TEST_F(GalleryFolder, ADamagedManifestIsNamed) {
  const fs::path file = folder_ / "alone" / "gallery.json";
  write_file_atomically(file, R"({"s1.posterior": {"width": -4}})");
  try {
    draw(select({"s1.embedding"}), folder_ / "alone");
    FAIL() << "no refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(
        error.what(),
        HasSubstr("gallery.json: s1.posterior: expected a size in pixels as 'width' but received -4"));
  }
}

/// An animation has as many frames as it says, and its still is one of them; it keeps still where asked to.
TEST_F(GalleryFolder, AnAnimationHasAStillForThoseWhoWantNoMotion) {
  Workshop shop(0);
  const Item* film = select({"s3.flow-film"}).front();
  const Scene scene = film->prepare(shop, Rng(0).stream(film->id), Settings(film->id, film->settings, {}));
  ASSERT_GT(scene.frames, 20);
  ASSERT_LT(scene.still, scene.frames);
  const auto bytes_of = [&](int64_t frame) {
    return scene.draw(plot::Theme::light(), frame).encode(plot::ImageFormat::svg);
  };
  EXPECT_NE(bytes_of(0), bytes_of(scene.still));
}

/// A reader's own problem is another picture, which the page says; its numbers lie beside it as CSV.
TEST_F(GalleryFolder, DrawsAReadersOwnProblem) {
  const fs::path folder = folder_ / "own";
  const std::string set = "table=constant:steps=4,beta=0.5";
  draw(select({"s1.posterior"}), folder, {.themes = Themes::light, .set = {set}});
  const std::string page = bytes("own", "index.html");
  EXPECT_THAT(page, HasSubstr("--seed 0 --set &#39;table=constant:steps=4,beta=0.5&#39;"));
  EXPECT_THAT(page, HasSubstr("href=\"s1.posterior.csv\""));
  // The weight of X_0 at t = 1 is 1; at t = 2, sqrt(1/2) / 2 / (3/4).
  const std::string csv = bytes("own", "s1.posterior.csv");
  EXPECT_THAT(csv, HasSubstr("panel,title,mark,label,curve,x,y,x2,y2,value\n"));
  EXPECT_THAT(csv, HasSubstr(",line,of X_0,1,1,1,,,\n"));
  EXPECT_THAT(csv, HasSubstr(",line,of X_0,1,2,0.4714045,,,\n"));
  EXPECT_EQ(csv.find(",line,of X_0,1,5,"), std::string::npos);
  EXPECT_THAT(
      [&] { draw(select({"s1.posterior"}), folder, {.set = {"sigma=2"}}); },
      ::testing::ThrowsMessage<Error>(HasSubstr("s1.posterior: unknown setting 'sigma'; valid: table")));
}

/// A caption that was written for the usual numbers is not shown beside others.
TEST(Gallery, PicturesWithSettingsHaveCaptionsForThem) {
  for (const Item& item : all_items()) {
    EXPECT_EQ(item.settings.empty(), item.caption_when_set.empty()) << item.id;
    EXPECT_EQ(item.settings.empty(), item.alt_when_set.empty()) << item.id;
    EXPECT_NE(item.caption, item.caption_when_set) << item.id;
  }
}

/// Of a group those pictures that have the setting take it.
TEST_F(GalleryFolder, AGroupTakesWhatItCan) {
  const auto drawn = draw(select({"s1.posterior", "s1.embedding"}), folder_ / "group",
                          {.themes = Themes::light, .set = {"table=constant:steps=4,beta=0.5"}});
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_EQ(drawn[0].set.size(), 1u);
  EXPECT_TRUE(drawn[0].left.empty());
  EXPECT_TRUE(drawn[1].set.empty());
  EXPECT_THAT(drawn[1].left, ::testing::ElementsAre("table (it has no such setting)"));
  const std::string page = bytes("group", "index.html");
  EXPECT_THAT(page, HasSubstr("for the β that were set"));
  EXPECT_THAT(page, ::testing::Not(HasSubstr("markedly so near the data")));
  EXPECT_THAT(page, HasSubstr("With sines alone every φ vanishes"));
  EXPECT_THAT(page, HasSubstr("fokker gallery --out . s1.embedding --seed 0<"));
}

/// A run that is asked to stop ends with an error and leaves no page that lies.
TEST_F(GalleryFolder, StopsWhenAsked) {
  StopRequest request;
  request.make();
  const StopScope scope(&request);
  EXPECT_THAT([&] { draw(select({"s1.embedding"}), folder_ / "alone"); },
              ::testing::ThrowsMessage<Error>(HasSubstr("stopped")));
  EXPECT_FALSE(fs::exists(folder_ / "alone" / "index.html"));
}

}  // namespace
}  // namespace fokker::gallery
