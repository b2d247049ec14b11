// TensorBoard's files, read by a reader that shares nothing with their writer.
#include "fokker/train/event_file.h"

#include <cstring>
#include <map>

#include "fokker/core/file/files.h"
#include "fokker/objective/table.h"
#include "fokker/train/run_events.h"
#include "some_table.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// CRC-32C a bit at a time, by long division, which no table can spoil.
uint32_t crc_by_division(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

/// A message of protocol buffers: the fields in their order, each a number or bytes.
struct Field {
  uint64_t number = 0, wire = 0, value = 0;
  std::string bytes;
};
std::vector<Field> fields_of(std::string_view text) {
  std::vector<Field> fields;
  const auto take = [&](size_t count) {
    EXPECT_LE(count, text.size());
    const std::string_view taken = text.substr(0, count);
    text.remove_prefix(std::min(count, text.size()));
    return taken;
  };
  const auto number = [&] {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!text.empty()) {
    Field field;
    const uint64_t key = number();
    field.number = key >> 3;
    field.wire = key & 7;
    if (field.wire == 0) field.value = number();
    if (field.wire == 1) std::memcpy(&field.value, take(8).data(), 8);
    if (field.wire == 5) std::memcpy(&field.value, take(4).data(), 4);
    if (field.wire == 2) field.bytes = take(number());
    fields.push_back(field);
  }
  return fields;
}
const Field& field(const std::vector<Field>& fields, uint64_t number) {
  for (const Field& each : fields)
    if (each.number == number) return each;
  ADD_FAILURE() << "no field " << number;
  static const Field none;
  return none;
}
double as_double(const Field& value) {
  double number = 0;
  std::memcpy(&number, &value.value, sizeof number);
  return number;
}
float as_float(const Field& value) {
  const auto low = static_cast<uint32_t>(value.value);
  float number = 0;
  std::memcpy(&number, &low, sizeof number);
  return number;
}
std::vector<double> as_doubles(const Field& value) {
  std::vector<double> numbers(value.bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), value.bytes.data(), value.bytes.size());
  return numbers;
}

/// The events of a file, whose lengths and checks must be right to the last byte.
std::vector<std::vector<Field>> events_of(const fs::path& file) {
  std::vector<std::vector<Field>> events;
  const std::string bytes = read_file(file);
  const auto expect_check = [&](size_t at, std::string_view of) {
    uint32_t stored = 0;
    std::memcpy(&stored, bytes.data() + at, sizeof stored);
    const uint32_t unmasked = stored - 0xa282ead8;
    EXPECT_EQ(unmasked >> 17 | unmasked << 15, crc_by_division(of));
  };
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof length);
    expect_check(at + 8, std::string_view(bytes).substr(at, 8));
    const auto event = std::string_view(bytes).substr(at + 12, length);
    EXPECT_EQ(event.size(), length);
    expect_check(at + 12 + length, event);
    events.push_back(fields_of(event));
    at += length + 16;
  }
  return events;
}
/// The one value of an event's summary.
std::vector<Field> value_of(const std::vector<Field>& event) {
  return fields_of(field(fields_of(field(event, 5).bytes), 1).bytes);
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
TEST(Crc32c, HasTheKnownValues) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43);
  std::string rising;
  for (char i = 0; i < 32; ++i) rising.push_back(i);
  EXPECT_EQ(crc32c(rising), 0x46dd794e);
}

TEST(EventFile, HoldsWhatWasTold) {
  const TestFolder folder;
  EventFile file(folder / "tensorboard", 7);
  file.scalar(300, "loss/training", 0.75);
  file.histogram(300, "loss/over_t", {{0, 0.5, 1}, {2, 6}});
  file.png(300, "samples", 5, 3, "not really a png");
  file.go_back(200);
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(field(events[0], 3).bytes, "brain.Event:2");
  EXPECT_GT(as_double(field(events[0], 1)), 1.7e9);  // seconds since 1970
  EXPECT_EQ(field(events[1], 2).value, 7u);
  EXPECT_EQ(field(fields_of(field(events[1], 7).bytes), 1).value, 1u);
  EXPECT_EQ(field(events[2], 2).value, 300u);
  const auto scalar = value_of(events[2]);
  EXPECT_EQ(field(scalar, 1).bytes, "loss/training");
  EXPECT_EQ(as_float(field(scalar, 2)), 0.75f);
  const auto histogram = fields_of(field(value_of(events[3]), 5).bytes);
  EXPECT_EQ(as_double(field(histogram, 1)), 0);
  EXPECT_EQ(as_double(field(histogram, 2)), 1);
  EXPECT_EQ(as_double(field(histogram, 3)), 8);
  EXPECT_EQ(as_double(field(histogram, 4)), 2 * 0.25 + 6 * 0.75);
  EXPECT_THAT(as_doubles(field(histogram, 6)), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(as_doubles(field(histogram, 7)), ElementsAre(0, 2, 6));
  const auto image = fields_of(field(value_of(events[4]), 4).bytes);
  EXPECT_EQ(field(image, 1).value, 3u);
  EXPECT_EQ(field(image, 2).value, 5u);
  EXPECT_EQ(field(image, 4).bytes, "not really a png");
  EXPECT_EQ(field(events[5], 2).value, 200u);
  EventFile second(folder / "tensorboard", 0);
  EXPECT_NE(second.path(), file.path());
}

TEST(EventFile, SaysThatItCannotBeWritten) {
  const TestFolder folder;
  folder.write("file", "");
  expect_error([&] { EventFile(folder / "file", 0); }, ErrorKind::resource, "cannot create the folder");
}

// The mean over all times is the held-out loss itself, where each bin has as many rows.
TEST(RunEvents, TellALineAndTheLossOverTime) {
  const TestFolder folder;
  SmallRun s;
  s.options.batch = 10;
  Trainer trainer = make_trainer(s);
  const LossOverTime over = trainer.held_out_loss_over_time();
  ASSERT_EQ(over.edges.size(), over.losses.size() + 1);
  double sum = 0;
  int64_t bins = 0;
  for (const double loss : over.losses) {
    sum += loss;
    bins += loss > 0;
  }
  EXPECT_EQ(bins, 10);  // of low discrepancy: each of ten rows has a bin of thirty
  EXPECT_NEAR(sum / 10, trainer.held_out_loss(), 1e-6);
  RunEvents events(folder / "t", trainer);
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& metrics) { events.add(metrics); };
  trainer.run(hooks);
  std::map<std::string, int> tags;
  for (const auto& event : events_of(events.file()))
    for (const Field& each : event)
      if (each.number == 5) ++tags[field(value_of(event), 1).bytes];
  const std::map<std::string, int> expected = {{"gradient_norm", 4}, {"learning_rate", 4},
                                               {"loss/held_out", 2}, {"loss/over_t", 2},
                                               {"loss/training", 4}, {"rows_per_second", 4}};
  EXPECT_EQ(tags, expected);
  folder.write("no.png", "text");
  expect_error([&] { events.add_picture(1, "samples", folder / "no.png"); }, ErrorKind::input,
               "no.png: expected a PNG");
}

// Of a table with a schema the times are the objective's own draws.
TEST(RunEvents, TellTheLossOverTimeOfATable) {
  const auto map = std::make_shared<const TableMap>(some_map(400));
  const auto rows = [&](int64_t n, uint64_t seed) {
    return Dataset{.values = some_cells(n, seed), .columns = map->schema().names(), .source = "test"};
  };
  TrainOptions options{.steps = 2, .batch = 30};
  Trainer trainer(std::make_unique<TableNetwork>(map->layout(), MlpOptions{.width = 8, .depth = 1}),
                  table_denoiser_spec(GaussianProcess(VariancePreserving{})),
                  std::make_shared<TableObjective>(TableObjective::Options{.times = {}}),
                  {rows(100, 1), rows(10, 2)}, Normalisation::identity({map->layout().dims()}), options,
                  Rng(3), map);
  const LossOverTime over = trainer.held_out_loss_over_time();
  ASSERT_EQ(over.losses.size(), 30U);
  double sum = 0;
  int64_t bins = 0;
  for (const double loss : over.losses) {
    sum += loss;
    bins += loss > 0;
  }
  EXPECT_EQ(bins, 10);  // of a uniform law and low discrepancy, as above
  EXPECT_NEAR(sum / 10, trainer.held_out_loss(), 1e-6 * sum / 10);
}

}  // namespace
}  // namespace fokker
