#include "fokker/distributed/ranks.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "distributed/several.h"
#include "expect_error.h"
#include "fokker/core/check.h"
#include "support.h"

namespace fokker {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::HasSubstr;

TEST(Ranks, OneAloneDoesNothing) {
  const Ranks ranks;
  const Tensor x = at::ones({3});
  ranks.sum(x);
  ranks.broadcast(x);
  EXPECT_TRUE(x.equal(at::ones({3})));
  EXPECT_TRUE(ranks.alone() && ranks.root());
  EXPECT_EQ(ranks.gather("a").size(), 1U);
  EXPECT_EQ(Ranks::join({.rank = 0, .size = 1}).size(), 1);
}

TEST(Ranks, SharesAreInOrderAndWhole) {
  std::mutex mutex;
  std::vector<Share> shares(3);
  EXPECT_THAT(run_ranks(3,
                        [&](const Ranks& ranks) {
                          const std::lock_guard lock(mutex);
                          shares[static_cast<size_t>(ranks.rank())] = ranks.share(11);
                        }),
              Each(""));
  EXPECT_EQ(shares[0].first, 0);
  EXPECT_EQ(shares[1].first, 4);
  EXPECT_EQ(shares[2].first, 8);
  EXPECT_EQ(shares[0].count, 4);
  EXPECT_EQ(shares[2].count, 3);
}

TEST(Ranks, SumBroadcastAndGather) {
  const auto errors = run_ranks(3, [](const Ranks& ranks) {
    const auto mine = static_cast<double>(ranks.rank() + 1);
    const Tensor x = at::full({1000}, mine, at::TensorOptions(at::kDouble));
    ranks.sum(x);
    check(x.equal(at::full_like(x, 6.0)), "sum: {}", x[0].item<double>());
    check(ranks.sum(mine) == 6, "sum of numbers");
    const Tensor y = at::full({5}, ranks.rank(), at::TensorOptions(at::kLong));
    ranks.broadcast(y);
    check(y.equal(at::zeros_like(y)), "broadcast");
    check(ranks.broadcast(Json{{"rank", ranks.rank()}})["rank"] == 0, "broadcast of JSON");
    const auto all = ranks.gather({{"rank", ranks.rank()}, {"text", std::string(10 * ranks.rank(), 'x')}});
    check(all.size() == 3 && all[2]["rank"] == 2 && all[2]["text"].get<std::string>().size() == 20, "gather");
    const Tensor rows = at::full({ranks.rank(), 2}, mine);
    check(ranks.gather_rows(rows).equal(at::tensor({2.f, 2.f, 3.f, 3.f, 3.f, 3.f}).reshape({3, 2})), "rows");
  });
  EXPECT_THAT(errors, Each(""));
}

TEST(Ranks, WhatRankZeroRefusesIsRefusedByAll) {
  const auto errors = run_ranks(2, [](const Ranks& ranks) {
    bool worked = false;
    ranks.on_root([&] { worked = true; });
    check(worked == ranks.root(), "rank 0 works");
    ranks.on_root([] { fail(ErrorKind::input, "no such file"); });
  });
  EXPECT_THAT(errors, Each("3 no such file"));
}

TEST(Ranks, WhoEndsInAnErrorIsNamed) {
  const auto errors = run_ranks(3, [](const Ranks& ranks) {
    check(ranks.rank() != 1, "of its own");
    ranks.sum(at::ones({10}));
  });
  EXPECT_EQ(errors[1], "2 of its own");
  for (const size_t other : {0U, 2U})
    EXPECT_THAT(errors[other], HasSubstr("6 rank 1 was lost: it has ended"));
}

TEST(Ranks, WhoWaitsForRankZeroLearnsThatItIsLost) {
  const auto errors = run_ranks(2, [](const Ranks& ranks) {
    check(!ranks.root(), "of its own");
    ranks.on_root([] {});
  });
  EXPECT_THAT(errors[1], HasSubstr("6 rank 0 was lost: it has ended"));
}

TEST(Ranks, WhoTakesNoPartIsNamed) {
  std::atomic<bool> over = false;
  const auto errors = run_ranks(
      3,
      [&](const Ranks& ranks) {
        if (ranks.rank() == 2) {  // alive, and busy with something else
          while (!over) std::this_thread::sleep_for(milliseconds(5));
          return;
        }
        try {
          ranks.sum(at::ones({10}));
        } catch (const Error&) {
          over = true;
          throw;
        }
      },
      milliseconds(3000));
  for (const size_t waiting : {0U, 1U})
    EXPECT_THAT(errors[waiting], HasSubstr("6 rank 2 was lost: it took no part in an exchange for 3 s"));
}

TEST(Ranks, WhoDoesNotArriveIsNamed) {
  RankPlace place = meeting_place(3);
  std::string other;
  std::thread second([&] {
    RankPlace mine = place;
    mine.rank = 2;
    mine.listening = -1;
    try {
      Ranks::join(mine, milliseconds(20'000));
    } catch (const Error& error) {
      other = error.what();
    }
  });
  expect_error([&] { Ranks::join(place, milliseconds(3000)); }, ErrorKind::peer_lost,
               "rank 1 was lost: it did not arrive within 3 s (2 of 3 did)");
  second.join();
  EXPECT_THAT(other, HasSubstr("rank 1 was lost: it did not arrive"));
  RankPlace nobody{.rank = 1, .size = 2, .address = "127.0.0.1", .port = 1};
  expect_error([&] { Ranks::join(nobody, milliseconds(150)); }, ErrorKind::peer_lost,
               "rank 0 was lost: it could not be reached at 127.0.0.1:1");
}

constexpr milliseconds long_enough{20'000};

/// What a rank is told that joins; an empty text where it is let in.
std::string answer_to(RankPlace place) {
  try {
    Ranks::join(place, long_enough);
  } catch (const Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.kind()), error.what());
  }
  return "";
}

/// Who leaves at once was not lost.
TEST(Ranks, AreAllConnectedBeforeOneMayLeave) {
  for (int i = 0; i < 20; ++i) EXPECT_THAT(run_ranks(4, [](const Ranks&) {}), Each("")) << i;
}

/// What that one is told where rank 0 waits for rank 1 of two, which comes after it.
std::string answer_before_rank_1(const RankPlace& changed) {
  RankPlace meeting = meeting_place(2);
  std::string answer_to_first;
  std::thread first([&] { answer_to_first = answer_to(meeting); });
  RankPlace asking = changed, second = meeting;
  asking.port = meeting.port;
  const std::string answer = answer_to(asking);
  second.rank = 1;
  second.listening = -1;
  EXPECT_EQ(answer_to(second), "");
  first.join();
  EXPECT_EQ(answer_to_first, "");
  return answer;
}

TEST(Ranks, RefusesWhoDoesNotBelong) {
  const RankPlace right{.rank = 1, .size = 2, .token = "of this test"};
  RankPlace stranger = right, other_size = right, no_rank = right;
  stranger.token = "guessed";
  other_size.size = 3;
  no_rank.rank = 7;
  EXPECT_EQ(answer_before_rank_1(stranger),
            "2 rank 1 was not let in: FOKKER_TOKEN: it is not that of rank 0");
  EXPECT_EQ(answer_before_rank_1(other_size),
            "2 rank 1 was not let in: WORLD_SIZE: rank 0 has 2 but it has 3");
  EXPECT_EQ(answer_before_rank_1(no_rank), "2 rank 7 was not let in: it is no rank of this run");
}

/// Who is refused learns why, though rank 0 hangs up while the other is still speaking.
TEST(Ranks, TheReasonIsReadBeforeTheEnd) {
  constexpr int times = 300;
  const RankPlace meeting = meeting_place(2);
  const int listening = static_cast<int>(meeting.listening);
  std::thread refusing([&] {
    for (int i = 0; i < times; ++i) {
      detail::Connection guest(::accept(listening, nullptr, nullptr));
      guest.send({detail::Message::Type::refused, "", "a reason"});
    }
  });
  const RankPlace asking{.rank = 1, .size = 2, .port = meeting.port};
  for (int i = 0; i < times; ++i) EXPECT_EQ(answer_to(asking), "2 rank 1 was not let in: a reason") << i;
  refusing.join();
  ::close(listening);
}

TEST(Ranks, OneRankCannotBeTakenTwice) {
  const auto errors = run_ranks(2, [&](const Ranks& ranks) { ranks.sum(1.0); });
  EXPECT_THAT(errors, Each(""));
  RankPlace meeting = meeting_place(3);
  std::array<std::string, 3> answers;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  threads.reserve(answers.size());
  for (size_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      RankPlace mine = meeting;
      mine.rank = i == 0 ? 0 : 1;
      if (i > 0) mine.listening = -1;
      answers[i] = answer_to(mine);
      ++answered;
    });
  while (answered == 0) std::this_thread::sleep_for(milliseconds(5));
  RankPlace last = meeting;
  last.rank = 2;
  last.listening = -1;
  EXPECT_EQ(answer_to(last), "");
  for (std::thread& thread : threads) thread.join();
  std::sort(answers.begin() + 1, answers.end());
  EXPECT_EQ(answers[0], "");
  EXPECT_EQ(answers[1], "") << "one of the two";
  EXPECT_EQ(answers[2], "2 rank 1 was not let in: RANK: another process is rank 1 already");
}

/// Bytes that are no messages of ours do no harm.
TEST(Ranks, StrangersBytesAreHungUpOn) {
  RankPlace meeting = meeting_place(2);
  const int stranger = detail::connect_to(meeting.address, meeting.port, long_enough);
  ASSERT_GE(stranger, 0);
  const std::string noise(300, '\xff');
  EXPECT_EQ(::send(stranger, noise.data(), noise.size(), MSG_NOSIGNAL), 300);
  std::vector<std::string> errors(2);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < 2; ++rank)
    threads.emplace_back([&, rank] {
      RankPlace mine = meeting;
      mine.rank = static_cast<int64_t>(rank);
      if (rank > 0) mine.listening = -1;
      try {
        errors[rank] = fmt::format("{}", Ranks::join(mine, long_enough).sum(1.0));
      } catch (const Error& error) {
        errors[rank] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(errors, Each("2"));
  char byte = 0;
  EXPECT_LE(::recv(stranger, &byte, 1, 0), 0) << "closed";
  ::close(stranger);
}

TEST(Ranks, ListenOnTheirAddressAlone) {
  const int socket = detail::listen_at("127.0.0.1", 0);
  EXPECT_EQ(detail::address_of(socket), "127.0.0.1");
  EXPECT_LT(detail::connect_to("127.0.0.2", detail::port_of(socket), milliseconds(50)), 0)
      << "another address of the same interface";
  ::close(socket);
  expect_error([] { detail::listen_at("192.0.2.1", 0); }, ErrorKind::argument,
               "MASTER_ADDR: expected an address of the machine of rank 0");
}

}  // namespace
}  // namespace fokker
