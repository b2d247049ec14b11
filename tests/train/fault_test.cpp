// Whatever the system does at whichever call of a save, what is on disk is the state before it or after it.
#include <ATen/Parallel.h>

#include "fault_points.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/replacement.h"
#include "train/saved_run.h"

namespace fokker {
namespace {

struct NamedFault {
  const char* name;
  Fault fault;
};
constexpr NamedFault failures[] = {{"a full disk", {Fault::Kind::fail, ENOSPC}},
                                   {"a broken disk", {Fault::Kind::fail, EIO}},
                                   {"a disk that may only be read", {Fault::Kind::fail, EROFS}},
                                   {"a used-up quota", {Fault::Kind::fail, EDQUOT}},
                                   {"a short write", {Fault::Kind::cut, 0}}};

/// One part of a run that is saved: what is done, and what a reader then finds.
struct SavedPart {
  const char* name;
  std::function<void(const Trainer&, const fs::path& run)> save;
  std::function<std::string(const fs::path& run)> read;
};

class FaultySave : public SavedRun {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // a forked process has no others
    run_to(*first_, 4);
    run_to(*second_, 8);
    save(*first_, folder_ / "before");
    checkpoint_.save(*second_, copy("after"));
    model_.save(*second_, folder_ / "after");
  }
  static void run_to(Trainer& trainer, int64_t step) {
    TrainHooks hooks;
    hooks.should_stop = [&] { return trainer.step() >= step; };
    trainer.run(hooks);
  }
  /// All tensors of the newest checkpoint, as a resumed run finds them.
  static std::string read_checkpoint(const fs::path& run) {
    const auto resumed = trainer(10);
    const Checkpoints checkpoints(run / "checkpoints");
    checkpoints.load_newest(*resumed);
    std::string bytes = std::to_string(resumed->step());
    for (const char* name : {"network", "average", "first_moment", "second_moment"})
      bytes += read_file(checkpoints.all().back() / fmt::format("{}.safetensors", name));
    return bytes;
  }
  static std::string read_model(const fs::path& run) {
    load_model(run);
    return read_file(run / "fokker.json") + read_file(run / "network/diffusion_pytorch_model.safetensors");
  }
  fs::path copy(const std::string& name) const {
    const fs::path run = folder_ / name;
    fs::remove_all(run);
    fs::copy(folder_ / "before", run, fs::copy_options::recursive);
    return run;
  }
  /// Whether a reader finds all of the old or the new part.
  bool is_whole(const SavedPart& part, const fs::path& run, const char* fault, int n,
                bool must_be_new) const {
    std::string found;
    try {
      found = part.read(run);
    } catch (const Error& error) {
      found = error.what();
    }
    const bool is_new = found == part.read(folder_ / "after");
    const bool is_old = found == part.read(folder_ / "before");
    const bool good = is_new || (is_old && !must_be_new);
    if (!good) std::printf("%s, %s at call %d: %s\n", part.name, fault, n, found.substr(0, 200).c_str());
    return good;
  }
  /// One failure at each call in turn; how many there were, or -1.
  int fail_everywhere(const SavedPart& part, const NamedFault& failure) const {
    bool good = true;
    for (int n = 1;; ++n) {
      const fs::path run = copy("run");
      const Disturbed end = disturbed(failure.fault, n, [&] { part.save(*second_, run); });
      good = good && end != Disturbed::wrong;
      good = is_whole(part, run, failure.name, n, failure.fault.kind == Fault::Kind::cut) && good;
      // A short write is no error: the rest is written.
      if (failure.fault.kind == Fault::Kind::cut && end == Disturbed::refused) good = false;
      if (end == Disturbed::not_reached) return good ? n - 1 : -1;
    }
  }
  /// A kill before each call in turn, from the n-th on; how many there were. Nothing is left of the attempt
  /// once the run was opened.
  int kill_everywhere(const SavedPart& part, bool without_exchange, int n = 1) const {
    for (;; ++n) {
      const fs::path run = copy("run");
      const Ending end = run_killed(n, without_exchange, [&] { part.save(*second_, run); });
      if (end == Ending::not_permitted) return 0;
      EXPECT_TRUE(end == Ending::killed || end == Ending::finished) << part.name << " at call " << n;
      EXPECT_TRUE(is_whole(part, run, "a kill", n, end == Ending::finished));
      recover_contents(run);
      EXPECT_EQ(hidden_in(run), std::vector<std::string>()) << part.name << " at call " << n;
      if (end != Ending::killed || HasFailure()) return n - 1;
    }
  }

  const SavedPart checkpoint_ = {
      "a checkpoint",
      [](const Trainer& trainer, const fs::path& run) { Checkpoints(run / "checkpoints").save(trainer, 1); },
      read_checkpoint};
  const SavedPart model_ = {"a model", save_part, read_model};
  const std::unique_ptr<Trainer> first_ = trainer(10), second_ = trainer(10);
};

TEST_F(FaultySave, AKillBeforeAnyCallLeavesTheOldOrTheNew) {
  int calls = 0;
  for (const SavedPart* part : {&model_, &checkpoint_}) {
    calls = kill_everywhere(*part, /*without_exchange=*/false);
    if (calls == 0) GTEST_SKIP() << "this system does not permit to disturb calls";
    std::printf("%s: killed before each of %d calls that change files\n", part->name, calls);
    EXPECT_GT(calls, 80);
  }
  // Where names cannot be exchanged, what follows the writing is another.
  const int later = kill_everywhere(checkpoint_, /*without_exchange=*/true, calls - 50);
  std::printf("the last %d of a checkpoint by two renames\n", later - calls + 51);
}

TEST_F(FaultySave, AFailureOfAnyCallIsOneErrorAndLeavesTheOldOrTheNew) {
  for (const SavedPart* part : {&checkpoint_, &model_}) {
    const Ending end = run_with_traps([&] {
      bool good = true;
      for (const NamedFault& failure : failures) {
        const int calls = fail_everywhere(*part, failure);
        std::printf("%s: %s at each of %d calls\n", part->name, failure.name, calls);
        good = good && calls > 5;
      }
      return good;
    });
    if (end == Ending::not_permitted) GTEST_SKIP() << "this system does not permit to disturb calls";
    EXPECT_EQ(end, Ending::finished);
  }
}

// So a run goes on from one of two states, and ends with the undisturbed run's bytes from either.
TEST_F(FaultySave, EitherStateEndsInTheSameBytes) {
  const auto whole = trainer(10);
  whole->run({});
  save(*whole, folder_ / "whole");
  for (const char* name : {"before", "after"}) {
    const auto resumed = trainer(10);
    Checkpoints(folder_ / name / "checkpoints").load_newest(*resumed);
    resumed->run({});
    save(*resumed, folder_ / name);
    EXPECT_EQ(read_checkpoint(folder_ / name), read_checkpoint(folder_ / "whole")) << name;
    EXPECT_EQ(read_model(folder_ / name), read_model(folder_ / "whole")) << name;
  }
}

}  // namespace
}  // namespace fokker
