// Work that ranks share, and sums that go on in the background.
#include <gmock/gmock.h>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/core/random/rng.h"
#include "fokker/distributed/partwise_sum.h"
#include "fokker/distributed/shared_jobs.h"
#include "support.h"

namespace fokker {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::HasSubstr;

TEST(SharedWork, WholeBlocksInOrder) {
  for (const int64_t size : {1, 2, 3, 5}) {
    std::vector<Share> shares(static_cast<size_t>(size));
    EXPECT_THAT(run_ranks(size,
                          [&](const Ranks& ranks) {
                            shares[static_cast<size_t>(ranks.rank())] = ranks.share_blocks(103, 25);
                            ranks.sum(1.0);  // none leaves before all are there
                          }),
                Each(""));
    int64_t next = 0;
    for (const Share& share : shares) {
      EXPECT_EQ(share.first, next);
      EXPECT_TRUE(share.first % 25 == 0 || share.count == 0);
      next += share.count;
    }
    EXPECT_EQ(next, 103);
  }
}

TEST(SharedWork, RowsOfSomeRanksAlone) {
  const auto errors = run_ranks(3, [](const Ranks& ranks) {
    const Tensor own = ranks.rank() == 1 ? at::full({2, 3}, 7, at::TensorOptions(at::kDouble)) : Tensor();
    check(ranks.gather_rows(own).equal(at::full({2, 3}, 7, at::TensorOptions(at::kDouble))), "one has rows");
    check(!ranks.gather_rows({}).defined(), "none has");
  });
  EXPECT_THAT(errors, Each(""));
}

// The wait is for work, which may take longer than an exchange may.
TEST(SharedWork, AllWaitForTheSlowest) {
  std::atomic<int> done = 0;
  const auto errors = run_ranks(
      3,
      [&](const Ranks& ranks) {
        ranks.on_each([&] {
          if (ranks.rank() == 1) std::this_thread::sleep_for(milliseconds(3000));
          ++done;
        });
        check(done == 3, "all have worked, not {}", done.load());
      },
      milliseconds(2000));
  EXPECT_THAT(errors, Each(""));
}

TEST(SharedWork, TheFirstRanksErrorIsThatOfAll) {
  std::vector<int64_t> rows(3, -1);
  const auto errors = run_ranks(3, [&](const Ranks& ranks) {
    try {
      ranks.on_each([&] {
        if (ranks.rank() > 0) throw RowError(ErrorKind::failed, 10 * ranks.rank(), "too far");
      });
    } catch (const RowError& error) {
      rows[static_cast<size_t>(ranks.rank())] = error.row();
      throw;
    }
  });
  EXPECT_THAT(errors, Each("1 row 10 (from 0): too far"));
  EXPECT_THAT(rows, Each(10));
  EXPECT_THAT(run_ranks(2,
                        [](const Ranks& ranks) {
                          ranks.on_each([&] {
                            if (ranks.rank() == 1) at::ones({2}).view({3});  // libtorch's own
                          });
                        }),
              Each(HasSubstr("invalid for input of size 2")));
}

TEST(SharedWork, WhoIsStoppedWaitsForNobody) {
  const auto errors = run_ranks(2, [](const Ranks& ranks) {
    ranks.on_each([&] {
      if (ranks.rank() == 1) fail(ErrorKind::stopped, "stopped on request");
    });
  });
  EXPECT_EQ(errors[1], "130 stopped on request");
  EXPECT_THAT(errors[0], HasSubstr("6 rank 1 was lost"));
}

TEST(SharedWork, JobsComeBackInTheirOrder) {
  for (const int64_t size : {1, 2, 3}) {
    const auto errors = run_ranks(size, [](const Ranks& ranks) {
      for (const int64_t count : {0, 1, 2, 7}) {
        const Tensor found = shared_jobs(ranks, count, 2, [](int64_t job, double* numbers) {
          numbers[0] = static_cast<double>(job);
          numbers[1] = 1.0 / static_cast<double>(job + 1);
        });
        check(found.size(0) == count && found.size(1) == 2, "shape");
        for (int64_t i = 0; i < count; ++i)
          check(found[i][0].item<double>() == static_cast<double>(i) &&
                    found[i][1].item<double>() == 1.0 / static_cast<double>(i + 1),
                "job {}", i);
      }
    });
    EXPECT_THAT(errors, Each("")) << size;
  }
}

/// Parts of unlike sizes, begun last first; twice with one buffer, as training does.
TEST(PartwiseSum, IsTheSumOfTheWhole) {
  for (const int64_t size : {2, 3}) {
    std::vector<Tensor> found(static_cast<size_t>(size));
    const auto errors = run_ranks(size, [&](const Ranks& ranks) {
      Tensor values = at::empty({100'003});
      for (int64_t time = 0; time < 2; ++time) {
        values.copy_(Rng(7).stream(static_cast<uint64_t>(10 * time + ranks.rank())).normal({100'003}));
        PartwiseSum sum(ranks, values);
        sum.begin(60'000, 40'003);
        sum.begin(59'999, 1);
        sum.begin(0, 59'999);
        sum.finish();
        Tensor expected = at::zeros({100'003}, at::TensorOptions(at::kDouble));
        for (int64_t rank = 0; rank < ranks.size(); ++rank)
          expected +=
              Rng(7).stream(static_cast<uint64_t>(10 * time + rank)).normal({100'003}).to(at::kDouble);
        check((values.to(at::kDouble) - expected).abs().max().item<double>() < 2e-6, "the sum");
      }
      found[static_cast<size_t>(ranks.rank())] = values;
    });
    EXPECT_THAT(errors, Each("")) << size;
    for (const Tensor& other : found) EXPECT_TRUE(other.equal(found[0])) << "the same bits on all";
  }
}

TEST(PartwiseSum, NamesWhoIsLost) {
  const auto errors = run_ranks(2, [](const Ranks& ranks) {
    check(ranks.rank() != 1, "of its own");
    const Tensor values = at::ones({1000});
    PartwiseSum sum(ranks, values);
    sum.begin(0, 1000);
    sum.finish();
  });
  EXPECT_EQ(errors[1], "2 of its own");
  EXPECT_THAT(errors[0], HasSubstr("6 rank 1 was lost: it has ended"));
}

}  // namespace
}  // namespace fokker
