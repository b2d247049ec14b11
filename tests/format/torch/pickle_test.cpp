#include "fokker/format/torch/pickle.h"

#include <gmock/gmock.h>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;
using Kind = PickleValue::Kind;

bool knows_made(std::string_view global) {
  return global == "some.made";
}

Pickle unpickled(std::string_view program) {
  return read_pickle(program, "x.pkl", knows_made);
}
std::string refusal_of_pickle(const std::string& hex) {
  return error_of([&] { unpickled(from_hex(hex)); });
}
const PickleValue& root_of(const Pickle& pickle) {
  return pickle.at(pickle.root());
}

// pickle.dumps([None, True, -3, 300, 2**40, -1, 1.5, 'a\u00e9', (1,), {'k': 2}], protocol=2)
const std::string plain = from_hex(
    "80025d710028"
    "4e884afdffffff4d2c018a060000000000014affffffff473ff8000000000000"
    "580300000061c3a971014b01857102"
    "7d71035801000000"
    "6b71044b0273652e");

TEST(Pickle, ReadsPlainValues) {
  const Pickle pickle = unpickled(plain);
  const PickleValue& list = root_of(pickle);
  ASSERT_EQ(list.kind, Kind::list);
  ASSERT_EQ(list.items.size(), 10u);
  const auto item = [&](size_t i) -> const PickleValue& { return pickle.at(list.items[i]); };
  EXPECT_EQ(item(0).kind, Kind::none);
  EXPECT_EQ(item(1).kind, Kind::boolean);
  EXPECT_EQ(item(1).integer, 1);
  EXPECT_EQ(item(2).integer, -3);
  EXPECT_EQ(item(3).integer, 300);
  EXPECT_EQ(item(4).integer, int64_t{1} << 40);
  EXPECT_EQ(item(5).integer, -1);
  EXPECT_EQ(item(6).number, 1.5);
  EXPECT_EQ(item(7).text, "a\xc3\xa9");
  EXPECT_EQ(item(8).kind, Kind::tuple);
  ASSERT_EQ(item(9).kind, Kind::dict);
  EXPECT_EQ(pickle.at(item(9).items[0]).text, "k");
  EXPECT_EQ(pickle.at(item(9).items[1]).integer, 2);
}

TEST(Pickle, ReadsNegativeLongs) {
  EXPECT_EQ(root_of(unpickled(from_hex("80028a02fffe2e"))).integer, -257);
  EXPECT_EQ(root_of(unpickled(from_hex("80028a002e"))).integer, 0);
  EXPECT_THAT(refusal_of_pickle("80028a090000000000000000012e"), HasSubstr("at most 64 bits"));
}

TEST(Pickle, CallsNothing) {
  // some.made(1): what would be called, with what; print is not known.
  const std::string call = from_hex("8002") + "csome\nmade\n" + from_hex("4b0185522e");
  const Pickle pickle = unpickled(call);
  EXPECT_EQ(root_of(pickle).kind, Kind::call);
  EXPECT_EQ(root_of(pickle).text, "some.made");
  EXPECT_EQ(pickle.at(root_of(pickle).items[0]).integer, 1);
  EXPECT_THAT(error_of([&] { unpickled(from_hex("8002") + "cos\nsystem\n" + from_hex("4b0185522e")); }),
              HasSubstr("it asks for os.system, which is no tensor's and is not executed"));
  // Protocol 4 names globals by two texts.
  EXPECT_THAT(error_of([&] {
                unpickled(from_hex("80048c02") + "os" + from_hex("8c06") + "system" + from_hex("9329522e"));
              }),
              HasSubstr("os.system"));
  // NEWOBJ and BUILD: of what class, and what is set on it.
  const Pickle made = unpickled(from_hex("8002") + "csome\nmade\n" + from_hex("2981") + from_hex("7d622e"));
  EXPECT_EQ(root_of(made).kind, Kind::object);
  EXPECT_EQ(root_of(made).text, "some.made");
  ASSERT_EQ(root_of(made).items.size(), 1u);
  EXPECT_EQ(made.at(root_of(made).items[0]).kind, Kind::dict);
  EXPECT_THAT(refusal_of_pickle("80024e29812e"), HasSubstr("a global to call"));
  EXPECT_THAT(refusal_of_pickle("80024e7d622e"), HasSubstr("an object or an OrderedDict"));
  // INST, OBJ, EXT1: other ways to call.
  for (const char* operation : {"69", "6f", "82"})
    EXPECT_THAT(refusal_of_pickle("80024e4e" + std::string(operation) + "2e"), HasSubstr("operation 0x"));
}

TEST(Pickle, AnOrderedDictIsADict) {
  const Pickle pickle =
      unpickled(from_hex("8002") + "ccollections\nOrderedDict\n" + from_hex("29522858010000006b4b05757d") +
                from_hex("58010000006d4b0173622e"));
  ASSERT_EQ(root_of(pickle).kind, Kind::dict);
  ASSERT_EQ(root_of(pickle).items.size(), 2u);
  EXPECT_EQ(pickle.at(root_of(pickle).items[1]).integer, 5);
}

TEST(Pickle, RefusesWhatIsDamaged) {
  EXPECT_THAT(refusal_of_pickle("80064e2e"), HasSubstr("protocol 2 to 5"));
  EXPECT_THAT(refusal_of_pickle("284e2e"), HasSubstr("protocol 2 to 5"));
  EXPECT_THAT(refusal_of_pickle("80024e4e2e"), HasSubstr("one value at the end"));
  EXPECT_THAT(refusal_of_pickle("80024e2e4e"), HasSubstr("nothing after the end"));
  EXPECT_THAT(refusal_of_pickle("800268052e"), HasSubstr("a place of its memo that was filled"));
  EXPECT_THAT(refusal_of_pickle("80024e72ffffffff2e"), HasSubstr("a smaller place in its memo"));
  EXPECT_THAT(refusal_of_pickle("80025d4b014b02732e"), HasSubstr("a dict to set items of"));
  EXPECT_THAT(refusal_of_pickle("80027d284b01752e"), HasSubstr("pairs of key and value"));
  EXPECT_THAT(refusal_of_pickle("80028d"
                                "ffffffffffffffff"
                                "2e"),
              HasSubstr("truncated"));
  EXPECT_GT(survive_damage(plain, unpickled), 50);
}

// A tuple of a tuple of ... 10^5 deep, and a list that contains itself, take no more than their bytes.
TEST(Pickle, BearsWhatIsNestedDeep) {
  EXPECT_EQ(root_of(unpickled(from_hex("80024e") + std::string(100'000, '\x85') + ".")).kind, Kind::tuple);
  EXPECT_EQ(root_of(unpickled(from_hex("80025d71006800a12e").replace(7, 1, "a"))).items.size(), 1u);
  EXPECT_THAT(error_of([&] { unpickled(from_hex("800228") + std::string(1'000'001, 'N') + "t."); }),
              HasSubstr("more than 1000000 values"));
}

}  // namespace
}  // namespace fokker
