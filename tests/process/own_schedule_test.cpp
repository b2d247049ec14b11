#include "fokker/process/difference.h"
#include "fokker/process/gaussian_process.h"
#include "fokker/process/prior_fit.h"
#include "process/own_schedules.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::Contains;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double root = std::pow(0.002, 1 / 7.0), span = std::pow(80.0, 1 / 7.0) - root;

double vp_log_alpha(double t) {
  return -0.25 * 19.9 * t * t - 0.05 * t;
}

/// A schedule of the library beside its two formulas, as a user would write them.
struct Twin {
  const char* spec;
  AlphaAndSigma::Function alpha, sigma;
};

void PrintTo(const Twin& twin, std::ostream* stream) {
  *stream << twin.spec;
}

std::vector<Twin> twins() {
  const auto one = [](double) { return 1.0; };
  const auto vp_alpha = [](double t) { return std::exp(vp_log_alpha(t)); };
  return {{"vp", vp_alpha, [](double t) { return std::sqrt(-std::expm1(2 * vp_log_alpha(t))); }},
          {"sub-vp", vp_alpha, [](double t) { return -std::expm1(2 * vp_log_alpha(t)); }},
          {"flow", [](double t) { return 1 - t; }, [](double t) { return t; }},
          {"edm", one, [](double t) { return std::pow(root + t * span, 7); }},
          {"ve", one, [](double t) { return 0.01 * std::pow(5000.0, t); }},
          {"brownian:sigma=3", one, [](double t) { return 3 * std::sqrt(t); }}};
}

class TwoFormulas : public ::testing::TestWithParam<Twin> {
 protected:
  Schedule exact = make_schedule(GetParam().spec);
  Schedule own = alpha_and_sigma(GetParam().alpha, GetParam().sigma);
  static std::vector<double> times() {
    return {0, 1e-9, 1e-5, 0.001, 0.01237, 0.1, 0.30042, 0.5, 0.8213, 0.97, 0.9999, 1};
  }
  /// Equal to 1e-9, or both infinite or (0/0) undefined.
  static void expect_equal(double found, double expected, const char* what, double t) {
    if (std::isnan(expected)) return;
    if (std::isinf(expected)) {
      EXPECT_EQ(found, expected) << what << " at " << t;
      return;
    }
    EXPECT_NEAR(found, expected, 1e-9 * (1 + std::abs(expected))) << what << " at " << t;
  }
};

TEST_P(TwoFormulas, AreAllThatAScheduleNeeds) {
  for (const double t : times()) {
    expect_equal(own.alpha(t), exact.alpha(t), "alpha", t);
    expect_equal(own->log_alpha(t), exact->log_alpha(t), "log alpha", t);
    expect_equal(own->log_snr(t), exact->log_snr(t), "log-SNR", t);
    expect_equal(own->alpha_rate(t), exact->alpha_rate(t), "alpha'", t);
    expect_equal(own->sigma_rate(t), exact->sigma_rate(t), "sigma'", t);
    expect_equal(own->drift(t), exact->drift(t), "f", t);
    expect_equal(own->diffusion_squared(t), exact->diffusion_squared(t), "g^2", t);
    expect_equal(own->velocity(t).data, exact->velocity(t).data, "velocity of data", t);
    expect_equal(own->velocity(t).noise, exact->velocity(t).noise, "velocity of noise", t);
    expect_equal(own->velocity_rate(t), exact->velocity_rate(t), "W", t);
  }
  EXPECT_EQ(own->sde_end(), exact->sde_end());
  EXPECT_EQ(own->chain_steps(), 0);
}

TEST_P(TwoFormulas, GiveTheTimeOfALogSnr) {
  for (const double t : times()) {
    const double found = own->time_of_log_snr(exact->log_snr(t));
    EXPECT_NEAR(found, t, 1e-12) << t;
    if (t > 0) {
      EXPECT_NEAR(found / t, 1, 1e-6) << t;  // at 1e-9 log alpha itself has no more
    }
  }
  EXPECT_NEAR(own->time_of_log_snr(1e6), 0, 1e-300);
  EXPECT_NEAR(own->time_of_log_snr(-1e6), 1, 1e-15);
  EXPECT_EQ(own->time_of_log_snr(infinity), 0.0);
  EXPECT_EQ(own->time_of_log_snr(-infinity), 1.0);
}

// alpha b - sigma a = 1, whatever the error of the derivatives.
TEST_P(TwoFormulas, HaveAVelocityOfUnitDeterminant) {
  for (const double t : times()) {
    const PathCoefficients v = own->velocity(t);
    EXPECT_NEAR(own.alpha(t) * v.noise - own->sigma(t) * v.data, 1, 1e-12) << t;
  }
}

TEST_P(TwoFormulas, HaveTheSamePosteriorsTransitionsAndPrior) {
  const GaussianProcess a(own), b(exact);
  for (const auto& [s, t] :
       std::vector<std::pair<double, double>>{{0.01, 0.02}, {0.3, 0.9}, {0.5, 0.500001}}) {
    EXPECT_NEAR(a.transition(s, t).scale, b.transition(s, t).scale, 1e-12);
    EXPECT_NEAR(a.transition(s, t).variance / b.transition(s, t).variance, 1, 1e-8);
    EXPECT_NEAR(a.posterior(s, t).variance / b.posterior(s, t).variance, 1, 1e-8);
  }
  EXPECT_NEAR(a.time_min(), b.time_min(), 1e-12);
  EXPECT_NEAR(prior_fit(a, 2).ratio(), prior_fit(b, 2).ratio(), 1e-12);
  EXPECT_EQ(fitting_process(a, 2), "") << "nothing is known of its parameters";
}

INSTANTIATE_TEST_SUITE_P(Twins, TwoFormulas, ::testing::ValuesIn(twins()), [](const auto& info) {
  std::string name = info.param.spec;
  name = name.substr(0, name.find(':'));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// The bound that the header states, next to both ends as well.
TEST(Derivative, KeepsItsStatedError) {
  struct Case {
    const char* name;
    std::function<double(double)> f, rate;
  };
  const double fast = 25, turn = 2 * std::numbers::pi;
  for (const auto& c : std::vector<Case>{
           {"exp", [=](double t) { return std::exp(fast * t); },
            [=](double t) { return fast * std::exp(fast * t); }},
           {"cos", [=](double t) { return std::cos(turn * t); },
            [=](double t) { return -turn * std::sin(turn * t); }},
           {"1/2", [](double t) { return std::sqrt(t); }, [](double t) { return 0.5 / std::sqrt(t); }},
           {"3/2", [](double t) { return t * std::sqrt(t); }, [](double t) { return 1.5 * std::sqrt(t); }},
           {"t", [](double t) { return t; }, [](double) { return 1.0; }}})
    for (const double t : {1e-12, 1e-6, 1e-3, 0.01, 0.05, 0.3, 0.5, 0.9, 0.99, 1 - 1e-6, 1.0})
      EXPECT_NEAR(detail::derivative(c.f, t), c.rate(t), 1e-9 * (std::abs(c.f(t)) + std::abs(c.rate(t))))
          << c.name << " at " << t;
  EXPECT_EQ(detail::derivative([](double) { return 0.7; }, 0.2), 0.0);
}

TEST(Derivative, IsInfiniteWhereItDivergesAtAnEnd) {
  EXPECT_EQ(detail::derivative([](double t) { return std::sqrt(t); }, 0), infinity);
  EXPECT_EQ(detail::derivative([](double t) { return std::sqrt(1 - t); }, 1), -infinity);
  EXPECT_NEAR(detail::derivative([](double t) { return std::sin(t); }, 0), 1, 1e-9);
}

// The chain rule, against differences of the same formulas.
TEST(Dual, DifferentiatesFormulas) {
  const auto formula = [](auto t) {
    using std::cos, std::exp, std::expm1, std::log, std::log1p, std::pow, std::sin, std::sqrt, std::tanh;
    return sqrt(1 + t) * exp(-t * t) / (2 - t) + log(2 + t) * tanh(3 * t) + pow(1 + t, 2.5) -
           cos(t) * sin(2 * t) + expm1(t) * log1p(t);
  };
  for (const double t : {0.1, 0.45, 0.8})
    EXPECT_NEAR(formula(Dual(t, 1)).rate, detail::derivative([&](double u) { return formula(u); }, t), 1e-11);
  const Schedule exact = std::make_shared<Arc>(1.5), plain = std::make_shared<PlainArc>(1.5);
  EXPECT_EQ(exact->alpha_rate(0.5), -1.5 * std::sin(0.75));
  for (const double t : {0.0, 0.2, 0.7, 1.0}) {
    EXPECT_NEAR(plain->diffusion_squared(t), exact->diffusion_squared(t),
                1e-9 * (1 + exact->diffusion_squared(t)));
    EXPECT_NEAR(plain->velocity(t).data, -std::sin(1.5 * t), 1e-11)
        << "variance preserving: Salimans and Ho's v";
  }
}

TEST(Schedule, OfTheUserIsFoundByItsName) {
  register_arcs();
  EXPECT_THAT(schedule_names(), Contains("test-arc"));
  EXPECT_EQ(schedule_names().front(), "vp");
  EXPECT_DOUBLE_EQ(make_schedule("test-arc:angle=0.5").alpha(1), std::cos(0.5));
  EXPECT_DOUBLE_EQ(make_schedule("test-arc").alpha(1), std::cos(1.56));
  const Schedule back = schedule_from_config(schedule_config(make_schedule("test-plain-arc:angle=0.5")));
  EXPECT_DOUBLE_EQ(back->log_snr(0.3), make_schedule("test-arc:angle=0.5")->log_snr(0.3));
  EXPECT_THAT([] { make_schedule("test-arc:angel=1"); }, message("unknown parameter 'angel'; it has: angle"));
  std::map<std::string, std::string> parameters;
  for (const Description& described : schedule_descriptions())
    parameters[described.name] = described.parameters;
  EXPECT_EQ(parameters["vp"], "beta_min=0.1, beta_max=20");
  EXPECT_EQ(parameters["test-arc"], "angle=1.56");
  EXPECT_EQ(parameters["flow"], "");
}

TEST(Schedule, OfTheUserIsRefusedWhereItCannotBeToldApart) {
  register_arcs();
  const auto spec = [](Spec&) { return Schedule(Flow{}); };
  const auto config = [](const Json&) { return Schedule(Flow{}); };
  EXPECT_THAT([&] { register_schedule("test-arc", spec, config); }, message("one of this name already"));
  EXPECT_THAT([&] { register_schedule("vp", spec, config); }, message("one of this name already"));
  EXPECT_THAT([&] { register_schedule("a:b", spec, config); }, message("expected a name without ':'"));
  EXPECT_THAT([&] { register_schedule("test-half", spec, nullptr); }, message("reads its config"));
  EXPECT_THAT([&] { register_schedule("test-half", nullptr, config); }, message("expected a function"));
  EXPECT_THAT([] { make_schedule("test-half"); }, message("unknown process 'test-half'"));
  expect_error(
      [] {
        schedule_from_config({{"type", "theirs"}});
      },
      ErrorKind::input, "unknown type 'theirs'; valid types: vp, vp-cosine");
  expect_error(
      [] {
        schedule_from_config({{"type", "theirs"}});
      },
      ErrorKind::input, "a program registers its own");
  const Schedule nameless = alpha_and_sigma([](double) { return 1.0; }, [](double t) { return t; });
  EXPECT_THAT([&] { schedule_config(nameless); }, message("registered name"));
  EXPECT_THAT([] { Schedule(std::shared_ptr<const ScheduleModel>()); }, message("expected a model"));
}

}  // namespace
}  // namespace fokker
