#include "fokker/core/file/manifest.h"

#include "fokker/core/file/files.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Manifest : public FolderTest {
 protected:
  /// The lines of damage, as one text.
  std::string damage(const std::string& only = {}) const {
    std::string text;
    for (const std::string& line : verify_folder(folder_, only).damage) text += line + "\n";
    return text;
  }
};

// Of nothing, and of "abc", as `xxhsum -H2` of xxHash 0.8 prints them.
TEST_F(Manifest, IsXxh3Of128Bits) {
  write("empty", "");
  write("abc", "abc");
  write_manifest(folder_, {"empty", "abc"});
  const Json json = read_json(path("manifest.json"));
  EXPECT_EQ(json["files"][0]["xxh128"], "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(json["files"][1]["xxh128"], "06b05ab6733a618578af5f94892f3950");
  EXPECT_EQ(json["files"][1]["size"], 3);
  EXPECT_TRUE(check_manifest(folder_));
}

TEST_F(Manifest, NamesEachFileThatIsAnother) {
  write("a", "first");
  write("b/c", std::string(1 << 20, 'x'));
  write_manifest(folder_, {"a", "b/c"});
  const Verification whole = verify_folder(folder_);
  EXPECT_TRUE(whole.recorded);
  EXPECT_EQ(whole.bytes, 5u + (1 << 20));
  EXPECT_THAT(whole.files, ElementsAre("a", "b/c"));
  EXPECT_EQ(damage(), "");
  write("mine", "what a user puts there");
  EXPECT_EQ(damage(), "");
  write("a", "fjrst");
  EXPECT_THAT(damage(), HasSubstr("/a: is damaged: expected bytes of the checksum"));
  EXPECT_EQ(damage("b/c"), "");
  write("a", "firs");
  EXPECT_THAT(damage(), HasSubstr("/a: is damaged: expected 5 bytes but it has 4"));
  fs::remove(path("a"));
  fs::create_directory(path("a"));
  EXPECT_THAT(damage(), HasSubstr("/a: is damaged"));
  fs::remove(path("a"));
  fs::remove_all(path("b"));
  const Verification gone = verify_folder(folder_);
  ASSERT_EQ(gone.damage.size(), 2u);
  EXPECT_THAT(gone.damage[1], HasSubstr("b/c: is missing"));
  expect_error([&] { check_manifest(folder_); }, ErrorKind::input, "/a: is missing");
}

// It is taken only as it would be written: no name leads out of the folder, nothing is left to guess.
TEST_F(Manifest, IsTakenToTheLastByte) {
  write("a", "first");
  EXPECT_FALSE(check_manifest(folder_));
  write_manifest(folder_, {"a"});
  const std::string good = read("manifest.json");
  const auto with = [&](const std::string& old, const std::string& now) {
    std::string text = good;
    text.replace(text.find(old), old.size(), now);
    return text;
  };
  for (const std::string& bad :
       {good + "\n", good.substr(0, good.size() - 1), std::string(), std::string("[]"), std::string("{}"),
        with("\"a\"", "\"/etc/hosts\""), with("\"a\"", "\"../a\""), with("xxh128", "xxh64"),
        with("\"format\": 1", "\"format\": 2"), with("\"size\": 5", "\"size\": -5"), with("  ", " "),
        with("\"size\": 5", "\"size\": 5, \"more\": 1")}) {
    write("manifest.json", bad);
    EXPECT_THAT(damage(), HasSubstr("manifest.json: is damaged")) << bad;
  }
}

}  // namespace
}  // namespace fokker
