#include "fokker/distributed/ranks.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/distributed/group.h"

namespace fokker {
namespace {

constexpr const char* done = "done";

Json error_json(const Error& error) {
  Json json = {{"kind", static_cast<int>(error.kind())}, {"message", error.what()}};
  if (const auto* of_row = dynamic_cast<const RowError*>(&error))
    json.update({{"row", of_row->row()}, {"reason", of_row->reason()}});
  return json;
}

/// What another rank said: that it was done, or its error, which is thrown here too.
void heed(const std::string& said) {
  if (said == done) return;
  const Json error = Json::parse(said);
  const auto kind = static_cast<ErrorKind>(error.at("kind").get<int>());
  if (error.contains("row"))
    throw RowError(kind, error["row"].get<int64_t>(), error["reason"].get<std::string>());
  throw Error(kind, error.at("message").get<std::string>());
}

/// What libtorch and the system throw is an error that others can be told.
void within_boundary(const std::function<void()>& work) try { work(); } catch (...) {
  detail::throw_as_error();
}

/// What a tensor is beside its numbers, as a row of integers; zeros of one that is not there.
constexpr int64_t most_dimensions = 8;
void describe(const Tensor& rows, const Tensor& description) {
  if (!rows.defined()) return;
  check(rows.dim() >= 1 && rows.dim() <= most_dimensions, "gather_rows: expected rows but received {}",
        shape_string(rows));
  description[0] = 1 + static_cast<int64_t>(rows.scalar_type());
  description[1] = rows.dim();
  for (int64_t i = 0; i < rows.dim(); ++i) description[2 + i] = rows.size(i);
}

}  // namespace

Ranks Ranks::join(const RankPlace& place, std::chrono::milliseconds timeout) try {
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

Share Ranks::share_blocks(int64_t count, int64_t block) const {
  const Share blocks = share((count + block - 1) / block);
  const int64_t first = std::min(count, blocks.first * block);
  return {first, std::min(count, (blocks.first + blocks.count) * block) - first};
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
  const Tensor all_described = at::zeros({size(), 2 + most_dimensions}, at::TensorOptions(at::kLong));
  describe(rows, all_described[rank()]);
  sum(all_described);
  const Tensor most = std::get<0>(all_described.max(0));
  if (most[0].item<int64_t>() == 0) return {};
  // Gloo takes parts of one size.
  const Tensor sizes = most.slice(0, 2, 2 + most[1].item<int64_t>());
  const std::vector<int64_t> shape(sizes.data_ptr<int64_t>(), sizes.data_ptr<int64_t>() + sizes.numel());
  const auto type = at::TensorOptions(static_cast<at::ScalarType>(most[0].item<int64_t>() - 1));
  if (shape[0] == 0) return at::empty(shape, type);  // Gloo waits for ever for nothing
  std::vector<Tensor> own{at::zeros(shape, type)};
  if (rows.defined()) own[0].narrow(0, 0, rows.size(0)).copy_(rows);
  std::vector<std::vector<Tensor>> all(1);
  for (int64_t i = 0; i < size(); ++i) all[0].push_back(at::empty(shape, type));
  group_->exchange([&](c10d::ProcessGroup& gloo) { return gloo.allgather(all, own); });
  for (int64_t i = 0; i < size(); ++i)
    all[0][static_cast<size_t>(i)] =
        all[0][static_cast<size_t>(i)].narrow(0, 0, all_described[i][2].item<int64_t>());
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
  if (!root()) return heed(group_->member().get(key));
  try {
    within_boundary(work);
  } catch (const Error& error) {
    group_->member().set(key, json_text(error_json(error)));
    throw;
  }
  group_->member().set(key, done);
}

void Ranks::on_each(const std::function<void()>& work) const {
  if (!group_) return work();
  std::string mine = done;
  try {
    within_boundary(work);
  } catch (const Error& error) {
    // Who is asked to stop waits for nobody.
    if (error.kind() == ErrorKind::stopped || error.kind() == ErrorKind::peer_lost) throw;
    mine = json_text(error_json(error));
  } catch (const std::exception& error) {
    mine = json_text(error_json(Error(ErrorKind::failed, error.what())));
  }
  const std::string key = fmt::format("turn {}", group_->next_turn());
  const auto key_of = [&](int64_t rank) { return fmt::format("{} of {}", key, rank); };
  detail::Member& member = group_->member();
  if (root()) {
    std::string first = mine;
    for (int64_t other = 1; other < size(); ++other)
      if (const std::string said = member.get(key_of(other)); first == done) first = said;
    member.set(key, first);
    return heed(first);
  }
  member.set(key_of(rank()), mine);
  heed(member.get(key));
}

const char* distributed_backend() {
#ifdef USE_C10D_GLOO
  return "gloo";
#else
  return "none";
#endif
}

}  // namespace fokker
