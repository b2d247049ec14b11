#include "fokker/process/schedule.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/process/gaussian_process.h"

namespace fokker {
namespace {

struct Case {
  const char* spec;
};

std::vector<Case> all_cases() {
  return {{"vp"},   {"vp-cosine"}, {"vp-constant"}, {"sub-vp"}, {"ve"}, {"brownian:sigma=3"},
          {"flow"}, {"edm"},       {"ddpm"}};
}

class EverySchedule : public ::testing::TestWithParam<Case> {
 protected:
  Schedule schedule = make_schedule(GetParam().spec);
  bool is_chain() const { return schedule->chain_steps() > 0; }
  /// Times inside (0, 1) at which derivatives exist (a chain's beta jumps at i/N).
  std::vector<double> times() const { return {0.01237, 0.1003, 0.30042, 0.5511, 0.8213, 0.97031}; }
};

double alpha(const Schedule& s, double t) {
  return s.alpha(t);
}

TEST_P(EverySchedule, LogSnrIsTheLogOfTheRatioAndDecreases) {
  double previous = std::numeric_limits<double>::infinity();
  for (double t : times()) {
    const double a = alpha(schedule, t), s = schedule->sigma(t);
    EXPECT_NEAR(schedule->log_snr(t), std::log(a * a / (s * s)), 1e-9) << t;
    EXPECT_LT(schedule->log_snr(t), previous) << t;
    previous = schedule->log_snr(t);
  }
}

TEST_P(EverySchedule, TimeOfLogSnrInvertsIt) {
  for (double t : times()) EXPECT_NEAR(schedule->time_of_log_snr(schedule->log_snr(t)), t, 1e-10) << t;
  EXPECT_EQ(schedule->time_of_log_snr(1e6), 0.0);
  EXPECT_EQ(schedule->time_of_log_snr(-1e6), 1.0);
}

TEST_P(EverySchedule, DriftIsTheDerivativeOfLogAlpha) {
  const double h = 1e-6;
  for (double t : times())
    EXPECT_NEAR(schedule->drift(t), (schedule->log_alpha(t + h) - schedule->log_alpha(t - h)) / (2 * h),
                1e-6 * (1 + std::abs(schedule->drift(t))))
        << t;
}

TEST_P(EverySchedule, DiffusionKeepsTheVariance) {
  // d sigma^2/dt = 2 f sigma^2 + g^2
  const double h = 1e-6;
  for (double t : times()) {
    const double up = schedule->sigma(t + h), down = schedule->sigma(t - h), s = schedule->sigma(t);
    const double expected = (up * up - down * down) / (2 * h) - 2 * schedule->drift(t) * s * s;
    EXPECT_NEAR(schedule->diffusion_squared(t), expected, 2e-6 * (1 + std::abs(expected))) << t;
  }
}

TEST_P(EverySchedule, VelocityHasUnitDeterminantAndIsTheRateOfThePath) {
  const double h = 1e-6;
  for (double t : times()) {
    const double a = alpha(schedule, t), s = schedule->sigma(t), rate = schedule->velocity_rate(t);
    const PathCoefficients v = schedule->velocity(t);
    EXPECT_NEAR(a * v.noise - s * v.data, 1.0, 1e-12) << t;
    const double alpha_rate = (alpha(schedule, t + h) - alpha(schedule, t - h)) / (2 * h);
    const double sigma_rate = (schedule->sigma(t + h) - schedule->sigma(t - h)) / (2 * h);
    EXPECT_NEAR(rate * v.data, alpha_rate, 1e-6 * (1 + std::abs(alpha_rate))) << t;
    EXPECT_NEAR(rate * v.noise, sigma_rate, 1e-6 * (1 + std::abs(sigma_rate))) << t;
  }
}

TEST_P(EverySchedule, ConfigRoundTrips) {
  const Schedule copy = schedule_from_config(schedule->config());
  for (double t : times()) {
    EXPECT_DOUBLE_EQ(copy->log_snr(t), schedule->log_snr(t));
    EXPECT_DOUBLE_EQ(copy->diffusion_squared(t), schedule->diffusion_squared(t));
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, EverySchedule, ::testing::ValuesIn(all_cases()), [](const auto& info) {
  std::string name = info.param.spec;
  name = name.substr(0, name.find(':'));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(VariancePreservingSchedule, IsAccurateNextToTheData) {
  const Schedule vp = VariancePreserving{};
  // sigma^2 = 1 - exp(-int beta) = beta_min t + O(t^2): no digit may be lost at t = 1e-12.
  const double t = 1e-12;
  EXPECT_NEAR(vp->sigma(t) * vp->sigma(t) / (0.1 * t), 1.0, 1e-9);
  EXPECT_NEAR(vp->time_of_log_snr(vp->log_snr(t)) / t, 1.0, 1e-9);
  EXPECT_EQ(vp->sigma(0), 0.0);
  EXPECT_EQ(vp->log_snr(0), std::numeric_limits<double>::infinity());
}

TEST(VariancePreservingSchedule, KeepsUnitVariance) {
  for (const char* name : {"vp", "vp-cosine", "vp-constant", "ddpm"}) {
    const Schedule s = make_schedule(name);
    for (double t : {1e-6, 0.2, 0.7, 1.0})
      EXPECT_NEAR(s.alpha(t) * s.alpha(t) + s->sigma(t) * s->sigma(t), 1.0, 1e-14) << name;
  }
}

TEST(VariancePreservingSchedule, LinearBetaHasItsClosedForm) {
  const Schedule vp = VariancePreserving{.beta_min = 0.1, .beta_max = 20};
  EXPECT_DOUBLE_EQ(vp->log_alpha(1), -0.5 * (0.1 + 20) / 2);
  EXPECT_DOUBLE_EQ(vp->diffusion_squared(0.5), 10.05);
}

// S3 section 1.1.1: a = sqrt(1 - sigma^2) with sigma = 0.2, mean a^t x_0 and variance 1 - a^(2t) after t of
// 200 steps.
TEST(ConstantBetaSchedule, IsTheChainWithAFixedFactor) {
  const Schedule s = make_schedule("vp-constant");
  for (int i : {1, 7, 100, 200}) {
    EXPECT_NEAR(s.alpha(i / 200.0), std::pow(0.96, i / 2.0), 1e-14);
    EXPECT_NEAR(std::pow(s->sigma(i / 200.0), 2), 1 - std::pow(0.96, i), 1e-14);
  }
}

TEST(CosineSchedule, IsNicholAndDhariwalsCurve) {
  const Schedule s = Cosine{.offset = 0.008, .time_scale = 0.9946};
  const auto curve = [](double t) { return std::cos((0.9946 * t + 0.008) / 1.008 * M_PI / 2); };
  for (double t : {0.1, 0.5, 1.0}) EXPECT_NEAR(s.alpha(t), curve(t) / curve(0), 1e-14);
}

// Ho et al. (2020): linear betas 1e-4 to 0.02, 1000 steps; alphabar is their running product.
// Zero terminal SNR: alpha falls linearly to 0 within the last step, and everything else follows from that.
TEST(BetaTableSchedule, MayLeaveNothingOfTheData) {
  BetaTable table = BetaTable::linear(50, 1e-3, 0.1);
  table.beta.back() = 1;
  const GaussianProcess process{Schedule(table)};
  const ScheduleModel& s = process.schedule().model();
  EXPECT_EQ(s.alpha(1), 0);
  EXPECT_EQ(s.sigma(1), 1);
  EXPECT_EQ(process.prior_variance(), 1);
  EXPECT_EQ(s.velocity(1).data, -1);
  EXPECT_EQ(s.velocity(1).noise, 0);
  const double before = s.alpha(49.0 / 50);
  for (const double share : {0.0, 0.25, 0.9, 0.9999}) {
    const double t = (49 + share) / 50;
    EXPECT_NEAR(s.alpha(t), before * (1 - share), 1e-12) << t;
    EXPECT_NEAR(s.alpha(t) * s.alpha(t) + s.sigma(t) * s.sigma(t), 1, 1e-12);
    EXPECT_NEAR(s.time_of_log_snr(s.log_snr(t)), t, 1e-9);
  }
  for (const double t : {0.985, 0.99, 0.999}) {
    const double h = 1e-6;
    EXPECT_NEAR(s.alpha_rate(t), (s.alpha(t + h) - s.alpha(t - h)) / (2 * h), 1e-6);
    EXPECT_NEAR(s.sigma_rate(t), (s.sigma(t + h) - s.sigma(t - h)) / (2 * h), 1e-6);
    EXPECT_NEAR(s.velocity_rate(t), s.alpha(t) * s.sigma_rate(t) - s.alpha_rate(t) * s.sigma(t), 1e-9);
    EXPECT_NEAR(s.diffusion_squared(t), -2 * s.alpha_rate(t) / s.alpha(t), 1e-6);
  }
  EXPECT_TRUE(std::isfinite(s.velocity_rate(1)));
  EXPECT_LT(s.sde_end(), 1);
  EXPECT_EQ(schedule_from_config(s.config())->config(), s.config());
  table.beta[10] = 1;
  EXPECT_THROW(Schedule{table}, Error);
}

TEST(BetaTableSchedule, MultipliesTheTable) {
  const Schedule s = BetaTable::linear();
  double product = 1;
  for (int i = 1; i <= 1000; ++i) {
    product *= 1 - (1e-4 + (0.02 - 1e-4) * (i - 1) / 999.0);
    if (i % 111 == 1 || i == 1000) {
      EXPECT_NEAR(s.alpha(i / 1000.0) * s.alpha(i / 1000.0) / product, 1, 1e-11) << i;
    }
  }
  EXPECT_NEAR(product, 4.0358e-5, 1e-8);
  EXPECT_EQ(s->chain_steps(), 1000);
  EXPECT_EQ(s->log_alpha(0), 0.0);
}

TEST(EdmSchedule, IsKarrasSpacing) {
  const Schedule s = Edm{};
  EXPECT_NEAR(s->sigma(0), 0.002, 1e-15);
  EXPECT_NEAR(s->sigma(1), 80, 1e-10);
  const double root = 0.5 * (std::pow(0.002, 1 / 7.0) + std::pow(80.0, 1 / 7.0));
  EXPECT_NEAR(s->sigma(0.5), std::pow(root, 7), 1e-12);
}

TEST(ScheduleSpec, ReadsParameters) {
  EXPECT_DOUBLE_EQ(make_schedule("ve:sigma_min=0.1,sigma_max=7")->sigma(1), 7.0);
  EXPECT_EQ(make_schedule("ddpm:steps=50")->chain_steps(), 50);
}

std::string refusal(const std::string& spec) {
  try {
    make_schedule(spec);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::argument);
    return error.what();
  }
  return "accepted";
}

TEST(ScheduleSpec, RefusesWhatMakesNoSense) {
  EXPECT_NE(refusal("vq").find("valid names: vp, vp-cosine"), std::string::npos);
  EXPECT_NE(refusal("vp:beta=3").find("unknown parameter 'beta'; it has: beta_min, beta_max"),
            std::string::npos);
  EXPECT_NE(refusal("vp:beta_min=x").find("expected a number but received 'x'"), std::string::npos);
  EXPECT_NE(refusal("vp:beta_min=-1").find("0 < beta_min"), std::string::npos);
  EXPECT_NE(refusal("ve:sigma_min=9,sigma_max=1").find("sigma_min < sigma_max"), std::string::npos);
  EXPECT_NE(refusal("ddpm:steps=0").find("1 to 1000000 steps"), std::string::npos);
  EXPECT_NE(refusal("ddpm:beta_last=1.5").find("(0, 1)"), std::string::npos);
  EXPECT_NE(refusal("flow:x=1").find("it has none"), std::string::npos);
}

}  // namespace
}  // namespace fokker
