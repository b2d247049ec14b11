#include "fokker/core/text/spec_registry.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;

/// Words that are repeated: a registry of texts.
Registry<std::string, int> words() {
  return Registry<std::string, int>(
      "word", {{"echo", "says it again",
                [](Spec& spec, int times) {
                  const std::string what = spec.text("what", "o");
                  std::string text;
                  for (int64_t i = 0; i < times * spec.integer("by", 1, 1); ++i) text += what;
                  return text;
                }},
               {"size", "", [](Spec& spec, int) {
                  const bool small = spec.flag("small", false);
                  const double least = spec.number("least", 0.5, 0);
                  return fmt::format("{} {} {}", small, least, spec.word<int>("kind", {{"a", 1}, {"b", 2}}));
                }}});
}

TEST(Registry, MakesWhatASpecNames) {
  const auto registry = words();
  EXPECT_EQ(registry.make("echo", 3), "ooo");
  EXPECT_EQ(registry.make("echo:what=hm,by=2", 2), "hmhmhmhm");
  EXPECT_EQ(registry.make("size:small=1,kind=b,least=0", 0), "true 0 2");
  EXPECT_THAT(registry.names(), ElementsAre("echo", "size"));
}

TEST(Registry, SaysWhatWasExpected) {
  const auto registry = words();
  const auto refused = [&](const char* text) { return [&registry, text] { registry.make(text, 1); }; };
  EXPECT_THAT(refused("ech"), message("unknown word 'ech'; valid names: echo, size"));
  EXPECT_THAT(refused("echo:wat=1"), message("word 'echo': unknown parameter 'wat'; it has: what, by"));
  EXPECT_THAT(refused("echo:by=0"), message("word echo: by: expected a whole number from 1 to"));
  EXPECT_THAT(refused("size:small=2"), message("word size: small: expected 0 or 1 but received 2"));
  EXPECT_THAT(refused("size:kind=c"), message("word size: kind: expected one of a, b but received 'c'"));
  EXPECT_THAT(refused("size:least=-1"), message("word size: least: expected a number >= 0 but received -1"));
  EXPECT_THAT(refused("size:least"), message("expected name:key=value,key=value but received 'size:least'"));
}

// One home for a parameter's usual value: the maker that asks for it.
TEST(Registry, DescribesByAsking) {
  const auto all = words().descriptions(1);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name + ": " + all[0].summary, "echo: says it again");
  EXPECT_EQ(all[0].parameters, "what=o, by=1");
  EXPECT_EQ(all[1].parameters, "small=0, least=0.5, kind=a");
}

TEST(Registry, TakesOnePerName) {
  auto registry = words();
  const auto shout = [](Spec&, int times) { return std::string(static_cast<size_t>(times), '!'); };
  registry.add({"shout", "", shout});
  EXPECT_EQ(registry.make("shout", 2), "!!");
  EXPECT_TRUE(registry.contains("shout"));
  EXPECT_THAT(
      [&] {
        registry.add({"shout", "", shout});
      },
      message("word 'shout': there is one of this name"));
  EXPECT_THAT([&] { registry.add({"echo", "", shout}); }, message("there is one of this name already"));
  EXPECT_THAT([&] { registry.add({"none", "", nullptr}); }, message("expected a function that makes it"));
  for (const char* name : {"", "a:b", "a b", "a=b", "a,b"})
    EXPECT_THAT([&] { registry.add({name, "", shout}); }, message("expected a name without ':'")) << name;
}

}  // namespace
}  // namespace fokker
