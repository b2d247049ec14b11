#include "fokker/distributed/group.h"

#include <exception>

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

/// libtorch says by an exception that the time is over.
void wait_a_little(c10d::Work& work) {
  try {
    work.wait(milliseconds(100));
  } catch (const std::exception&) {
    if (work.isCompleted()) return;  // its own
  }
}

}  // namespace

Ranks::Group::Group(const RankPlace& place, milliseconds timeout) : place_(place) {
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
  wait_until_all_are_connected();
}

// Who has connected to all may not be connected to by all yet: were it to leave, it would look lost to them.
void Ranks::Group::wait_until_all_are_connected() {
  const auto key = [](int64_t rank) { return fmt::format("connected/{}", rank); };
  if (place_.rank > 0) member_->set(key(place_.rank), "");
  for (int64_t rank = 1; place_.rank == 0 && rank < place_.size; ++rank) member_->get(key(rank));
  if (place_.rank == 0) member_->set(key(0), "all");
  member_->get(key(0));
}

Ranks::Group::~Group() {
  if (std::uncaught_exceptions() == 0) member_->leave();
  gloo_.reset();
  member_.reset();
}

void Ranks::Group::await(c10d::Work& work) {
  const auto end = std::chrono::steady_clock::now() + member_->timeout();
  while (!work.isCompleted()) {
    wait_a_little(work);
    member_->check_peers();
    if (!work.isCompleted() && std::chrono::steady_clock::now() >= end)
      throw std::runtime_error("it took too long");
  }
  if (!work.isSuccess()) std::rethrow_exception(work.exception());
}

Tensor Ranks::Group::swapped(const Tensor& own) {
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

}  // namespace fokker
