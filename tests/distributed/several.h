#pragma once
// Ranks of one run, each in a thread of the test's own process.
#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "fokker/core/error.h"
#include "fokker/core/runtime.h"
#include "fokker/distributed/connection.h"
#include "fokker/distributed/ranks.h"

namespace fokker {

/// A place on the loopback interface, with a port that nothing else has.
inline RankPlace meeting_place(int64_t size) {
  RankPlace place{.size = size, .token = "of this test"};
  place.listening = detail::listen_at(place.address, 0);
  place.port = detail::port_of(static_cast<int>(place.listening));
  return place;
}

/// What each rank threw, or an empty text.
inline std::vector<std::string> run_ranks(int64_t size, const std::function<void(const Ranks&)>& work,
                                          std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  const RankPlace meeting = meeting_place(size);
  std::vector<std::string> errors(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  threads.reserve(errors.size());
  for (int64_t rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      set_threads(1);
      RankPlace place = meeting;
      place.rank = place.local_rank = rank;
      if (rank > 0) place.listening = -1;
      try {
        work(Ranks::join(place, timeout));
      } catch (const Error& error) {
        errors[static_cast<size_t>(rank)] =
            fmt::format("{} {}", static_cast<int>(error.kind()), error.what());
      }
    });
  for (std::thread& thread : threads) thread.join();
  return errors;
}

}  // namespace fokker
