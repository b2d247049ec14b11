#include "fokker/course/verify/suite.h"

#include <mutex>
#include <set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/course/verify/checks.h"

namespace fokker::verify {
namespace {

Checks build() {
  Checks checks;
  add_s0_reversal(checks);
  add_s0_linear(checks);
  add_s0_anderson(checks);
  add_s0_langevin(checks);
  add_s0_path(checks);
  add_s0_remark(checks);
  add_s0_learning(checks);
  add_s0_conditional(checks);
  add_s1_chain(checks);
  add_s1_posterior(checks);
  add_s1_reverse_kernel(checks);
  add_s1_objective(checks);
  add_s1_minimiser(checks);
  add_s1_sampling(checks);
  add_s1_embedding(checks);
  add_s1_training(checks);
  add_s2_score_matching(checks);
  add_s2_denoising(checks);
  add_s2_langevin(checks);
  add_s2_annealed(checks);
  add_s2_levels(checks);
  add_s2_toy(checks);
  add_s2_background(checks);
  add_s3_forward(checks);
  add_s3_unrolled(checks);
  add_s3_elbo(checks);
  add_s3_gap(checks);
  add_s3_denoising(checks);
  add_s3_tweedie(checks);
  add_s3_exponential(checks);
  add_s3_learning(checks);
  add_s3_sde(checks);
  add_s3_generation(checks);
  add_s3_flow(checks);
  add_s3_ode(checks);
  add_guidance_laws(checks);
  add_inverse_exact(checks);
  add_inverse_bias(checks);
  add_inverse_particles(checks);
  std::set<std::string> ids;
  for (const Check& c : checks) check(ids.insert(c.id).second, "verify: two checks have the id {}", c.id);
  return checks;
}

bool lies_in(const std::string& id, const std::string& group) {
  return id == group || id.starts_with(group + ".");
}

/// Hands outcomes on in the order of the checks, whichever thread is ready first.
class InOrder {
 public:
  InOrder(size_t count, const std::function<void(const Outcome&)>& observer)
      : outcomes_(count), ready_(count), observer_(observer) {}

  void put(size_t index, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_[index] = std::move(outcome);
    ready_[index] = true;
    for (; next_ < ready_.size() && ready_[next_]; ++next_)
      if (observer_) observer_(outcomes_[next_]);
  }
  std::vector<Outcome> take() { return std::move(outcomes_); }

 private:
  std::mutex mutex_;
  std::vector<Outcome> outcomes_;
  std::vector<bool> ready_;
  size_t next_ = 0;
  const std::function<void(const Outcome&)>& observer_;
};

}  // namespace

const std::vector<Check>& all_checks() {
  static const Checks checks = build();
  return checks;
}

std::vector<const Check*> select(const std::vector<std::string>& ids) {
  for (const std::string& id : ids)
    if (std::none_of(all_checks().begin(), all_checks().end(),
                     [&](const Check& c) { return lies_in(c.id, id); }))
      fail(ErrorKind::argument, "verify: no check is named '{}'", id);
  std::vector<const Check*> chosen;
  for (const Check& c : all_checks())
    if (ids.empty() ||
        std::any_of(ids.begin(), ids.end(), [&](const std::string& id) { return lies_in(c.id, id); }))
      chosen.push_back(&c);
  return chosen;
}

std::vector<Outcome> run(const std::vector<const Check*>& checks, const RunOptions& options) try {
  check(options.threads > 0, "verify: expected at least one thread but received {}", options.threads);
  std::vector<course::Owner> owners;
  owners.reserve(checks.size());
  for (const Check* c : checks) owners.push_back({c->id, &c->settings});
  const auto shares = course::shares_of(owners, options.set);
  for (size_t i = 0; i < checks.size(); ++i)
    Trial(*checks[i], Rng(options.seed), options.without, shares[i].taken);
  InOrder results(checks.size(), options.observer);
  run_jobs(checks.size(), options.threads, [&](size_t i) {
    Outcome outcome = run(*checks[i], options.seed, options.without, shares[i].taken);
    outcome.left = shares[i].left;
    results.put(i, std::move(outcome));
  });
  return results.take();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker::verify
