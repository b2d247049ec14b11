#include "fokker/distributed/ranks.h"

#include <exception>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/distributed/member.h"
#include "fokker/distributed/rendezvous.h"

namespace fokker {
namespace {

using std::chrono::milliseconds;

std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The rendezvous as c10d asks for it.
class MemberStore final : public c10d::Store {
 public:
  explicit MemberStore(detail::Member& member) : c10d::Store(member.timeout()), member_(member) {}
  void set(const std::string& key, const std::vector<uint8_t>& value) override {
    member_.set(key, text_of(value));
  }
  std::vector<uint8_t> get(const std::string& key) override {
    const std::string value = member_.get(key, timeout_);
    return {value.begin(), value.end()};
  }
  void wait(const std::vector<std::string>& keys) override { wait(keys, timeout_); }
  void wait(const std::vector<std::string>& keys, const milliseconds& timeout) override {
    for (const std::string& key : keys) member_.get(key, std::min(timeout, timeout_));
  }
  bool check(const std::vector<std::string>& keys) override {
    wait(keys);
    return true;
  }
  int64_t add(const std::string&, int64_t) override { refuse(); }
  bool deleteKey(const std::string&) override { refuse(); }
  int64_t getNumKeys() override { refuse(); }

 private:
  [[noreturn]] static void refuse() { fail(ErrorKind::failed, "rendezvous: counts nothing"); }
  detail::Member& member_;
};

constexpr const char* done = "done";

}  // namespace

/// A process group and what it stands on.
class Ranks::Group {
 public:
  Group(const RankPlace& place, milliseconds timeout) : place_(place) {
    if (place.rank == 0) rendezvous_ = std::make_unique<detail::Rendezvous>(place, timeout);
    member_ = std::make_unique<detail::Member>(place, timeout);
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(member_->local_address())};
    options->threads = 1;
    joined([&] {
      gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<MemberStore>(*member_),
                                                          static_cast<int>(place.rank),
                                                          static_cast<int>(place.size), options);
    });
  }
  ~Group() {
    if (std::uncaught_exceptions() == 0) member_->leave();
    gloo_.reset();
    member_.reset();
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const RankPlace& place() const { return place_; }
  detail::Member& member() { return *member_; }

  /// Begins an exchange and waits for its end, or for the news that a rank is lost.
  template <typename Begin>
  void exchange(Begin begin) {
    member_->enter_exchange();
    joined([&] {
      const auto work = begin(*gloo_);
      const auto end = std::chrono::steady_clock::now() + member_->timeout();
      while (!work->isCompleted()) {
        wait_a_little(*work);
        member_->check_peers();
        if (!work->isCompleted() && std::chrono::steady_clock::now() >= end)
          throw std::runtime_error("it took too long");
      }
      if (!work->isSuccess()) std::rethrow_exception(work->exception());
    });
  }
  /// What the other of two ranks has in a tensor of that shape; valid until the next call.
  Tensor swapped(const Tensor& own) {
    member_->enter_exchange();
    if (!received_.defined() || received_.sizes() != own.sizes() || received_.dtype() != own.dtype())
      received_ = at::empty_like(own);
    joined([&] {
      const int other = 1 - static_cast<int>(place_.rank);
      std::vector<Tensor> out{own}, in{received_};
      const auto sending = gloo_->send(out, other, 0), receiving = gloo_->recv(in, other, 0);
      receiving->wait(member_->timeout());
      sending->wait(member_->timeout());
    });
    return received_;
  }
  int64_t next_turn() { return ++turns_; }

 private:
  /// libtorch says by an exception that the time is over.
  static void wait_a_little(c10d::Work& work) {
    try {
      work.wait(milliseconds(100));
    } catch (const std::exception&) {
      if (work.isCompleted()) return;  // its own
    }
  }
  /// Whatever the work throws, somebody was lost.
  template <typename Work>
  void joined(Work work) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      work();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      const std::string text = error.what();
      const bool in_time = std::chrono::steady_clock::now() - begin < member_->timeout() * 9 / 10;
      member_->fail_exchange(text.substr(0, text.find('\n')), in_time);
    }
  }

  RankPlace place_;
  std::unique_ptr<detail::Rendezvous> rendezvous_;
  std::unique_ptr<detail::Member> member_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
  int64_t turns_ = 0;
  Tensor received_;
};

Ranks Ranks::join(const RankPlace& place, milliseconds timeout) try {
  check(timeout.count() >= 100, "timeout: expected at least 0.1 s but received {:g} s",
        0.001 * static_cast<double>(timeout.count()));
  Ranks ranks;
  if (place.size > 1) ranks.group_ = std::make_shared<Group>(place, timeout);
  return ranks;
} catch (...) {
  detail::throw_as_error();
}

int64_t Ranks::rank() const {
  return group_ ? group_->place().rank : 0;
}
int64_t Ranks::size() const {
  return group_ ? group_->place().size : 1;
}

Share Ranks::share(int64_t count) const {
  const int64_t each = count / size(), more = count % size();
  return {rank() * each + std::min(rank(), more), each + (rank() < more ? 1 : 0)};
}

void Ranks::sum(const Tensor& values) const {
  if (!group_) return;
  if (size() == 2) {
    // One round, of as many bytes: Gloo's ring takes several, each with threads to wake.
    values.add_(group_->swapped(values));
    return;
  }
  std::vector<Tensor> tensors{values};
  group_->exchange([&](c10d::ProcessGroup& gloo) { return gloo.allreduce(tensors); });
}

double Ranks::sum(double value) const {
  if (!group_) return value;
  const Tensor total = at::full({1}, value, at::TensorOptions(at::kDouble));
  sum(total);
  return total.item<double>();
}

void Ranks::broadcast(const Tensor& values) const {
  if (!group_) return;
  std::vector<Tensor> tensors{values};
  group_->exchange([&](c10d::ProcessGroup& gloo) { return gloo.broadcast(tensors); });
}

Json Ranks::broadcast(const Json& value) const {
  if (!group_) return value;
  const std::string text = root() ? json_text(value) : "";
  const Tensor size = at::full({1}, static_cast<int64_t>(text.size()), at::TensorOptions(at::kLong));
  broadcast(size);
  const Tensor bytes = at::zeros({size.item<int64_t>()}, at::TensorOptions(at::kByte));
  if (root()) std::copy(text.begin(), text.end(), bytes.data_ptr<uint8_t>());
  broadcast(bytes);
  return Json::parse(bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel());
}

Tensor Ranks::gather_rows(const Tensor& rows) const {
  if (!group_) return rows;
  const Tensor counts = at::zeros({size()}, at::TensorOptions(at::kLong));
  counts[rank()] = rows.size(0);
  sum(counts);
  // Gloo takes parts of one size.
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = counts.max().item<int64_t>();
  std::vector<Tensor> own{at::zeros(shape, rows.options())};
  own[0].narrow(0, 0, rows.size(0)).copy_(rows);
  std::vector<std::vector<Tensor>> all(1);
  for (int64_t i = 0; i < size(); ++i) all[0].push_back(at::empty(shape, rows.options()));
  group_->exchange([&](c10d::ProcessGroup& gloo) { return gloo.allgather(all, own); });
  for (int64_t i = 0; i < size(); ++i)
    all[0][static_cast<size_t>(i)] = all[0][static_cast<size_t>(i)].narrow(0, 0, counts[i].item<int64_t>());
  return at::cat(all[0]);
}

std::vector<Json> Ranks::gather(const Json& value) const {
  if (!group_) return {value};
  std::string text = json_text(value) + "\n";  // no other line ends in it
  const Tensor bytes = at::empty({std::ssize(text)}, at::TensorOptions(at::kByte));
  std::copy(text.begin(), text.end(), bytes.data_ptr<uint8_t>());
  const Tensor all = gather_rows(bytes);
  const auto* first = all.data_ptr<uint8_t>();
  const auto* last = first + all.numel();
  std::vector<Json> values;
  while (first < last) {
    const auto* end = std::find(first, last, uint8_t{'\n'});
    values.push_back(Json::parse(first, end));
    first = end + 1;
  }
  return values;
}

void Ranks::on_root(const std::function<void()>& work) const {
  if (!group_) return work();
  const std::string key = fmt::format("turn {}", group_->next_turn());
  if (!root()) {
    const std::string said = group_->member().get(key);
    if (said == done) return;
    const Json error = Json::parse(said);
    throw Error(static_cast<ErrorKind>(error.at("kind").get<int>()), error.at("message").get<std::string>());
  }
  try {
    work();
  } catch (const Error& error) {
    group_->member().set(key,
                         json_text({{"kind", static_cast<int>(error.kind())}, {"message", error.what()}}));
    throw;
  }
  group_->member().set(key, done);
}

const char* distributed_backend() {
#ifdef USE_C10D_GLOO
  return "gloo";
#else
  return "none";
#endif
}

}  // namespace fokker
