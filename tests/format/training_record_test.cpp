#include "fokker/format/training_record.h"

#include "support.h"

namespace fokker {
namespace {

TEST(TrainingRecord, IsWrittenInTheOrderOfTheFileAndReadBack) {
  const Json json =
      Json::parse(R"({"data": "points.csv", "rows": 200, "held_out_rows": 10, "event_shape": [2],
      "labels": 0, "process": {"type": "vp"}, "prior": {"ratio": 0.1}, "data_spread": 1.25, "predict": "velocity",
      "objective": "denoising", "weighting": "uniform", "network": {"type": "mlp"}, "parameters": 7, "steps": 30,
      "minutes": 0.0, "batch": 16, "learning_rate": 0.002, "ema": 0.999, "seed": 18446744073709551615,
      "data_options": {"path": "/points.csv"}, "machine": {"threads": 1}, "steps_done": 20, "seconds": 1.5})");
  const TrainingRecord record = TrainingRecord::from_json(json);
  EXPECT_EQ(record.to_json().dump(), json.dump());
  EXPECT_EQ(record.seed, UINT64_MAX);
  EXPECT_EQ(record.steps_done, 20);
  EXPECT_EQ(record.ema_decay, 0.999);
  EXPECT_TRUE(record.more.empty());
  EXPECT_EQ(recorded_spread(record), 1.25);
}

// A file of another program says what it likes, and loses nothing of it.
TEST(TrainingRecord, KeepsWhatItDoesNotKnow) {
  const Json json = Json::parse(R"({"steps": "many", "optimizer": "lion", "seconds": 3, "machine": null})");
  const TrainingRecord record = TrainingRecord::from_json(json);
  EXPECT_FALSE(record.steps.has_value());
  EXPECT_EQ(record.seconds, 3.0);
  EXPECT_EQ(record.more["optimizer"], "lion");
  for (const auto& [key, value] : json.items()) EXPECT_EQ(record.to_json()[key], value) << key;
  for (const char* other : {"null", "[1]", "7", "\"text\""})
    EXPECT_EQ(TrainingRecord::from_json(Json::parse(other)).to_json(), Json::object()) << other;
}

}  // namespace
}  // namespace fokker
