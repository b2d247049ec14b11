// fokker gallery as a user calls it.
#include "cli/fixture.h"

namespace fokker {
namespace {

TEST_F(Cli, GalleryDrawsWhatIsAskedFor) {
  const Outcome listed = run("gallery --list --json");
  ASSERT_EQ(listed.code, 0) << listed.err;
  const Json items = Json::parse(listed.out)["items"];
  EXPECT_GE(items.size(), 25u);
  EXPECT_FALSE(fs::exists(path("g")));

  const Outcome drawn = run("gallery --out g s1.posterior s1.embedding --theme light --json");
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const Json result = Json::parse(drawn.out);
  ASSERT_EQ(result["items"].size(), 2u);
  for (const auto& item : result["items"])
    for (const auto& file : item["files"]) EXPECT_TRUE(fs::exists(path("g/" + file.get<std::string>())));
  EXPECT_THAT(read_file(path("g/index.html")), HasSubstr("fokker gallery --out . s1.embedding --seed 0"));

  expect_refusal("gallery --out g s9", 2, "no picture is named 's9'; valid ids: s0.bridge");
  expect_refusal("gallery --out g --theme pink s1", 2, "theme: expected light, dark or both");
  expect_refusal("gallery s1", 2, "expected --out FOLDER");
}

}  // namespace
}  // namespace fokker
