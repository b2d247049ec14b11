// The exercises themselves, and what is often got wrong in each.
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/course/exercise/exercise.h"

namespace fokker::exercise {
namespace {

Exercise exercise_12_1() {
  return {
      .id = "s0.12-1",
      .title = "The law of a normal bridge",
      .source = "S0, Exercise 12.1",
      .question =
          "In Example 12.1, X_0 ~ N(0, 1 + sigma^2) and dX = A_t X dt + sigma dB with A_t = -sigma^2 / "
          "(sigma^2 (1 "
          "- t) + 1). What is the variance of X_t?",
      .variables = {{"t", "the time, 0 to 1", 0.05, 0.95}, {"sigma", "sigma", 0.4, 3}},
      .solution = "sigma^2*(1-t) + 1",
      .slips = {{"sigma^2 + 1 + sigma^2*t", "That is Brownian motion without its drift: A_t is left out."},
                {"sigma^2*t + 1", "S0's time runs from noise to data: X_1 has the variance 1, not X_0."},
                {"sigma*(1-t) + 1", "sigma is not squared."},
                {"sigma^2*(1-t)", "The data's own variance, 1, is missing: at t = 1 it is what is left."},
                {"sqrt(sigma^2*(1-t) + 1)", "That is the standard deviation; the variance is asked for."},
                {"(sigma^2*(1-t) + 1)^2/(sigma^2 + 1)",
                 "That is Phi_t^2 Var X_0 alone: the stochastic integral's variance is missing."}},
      .check = "s0.linear.exercise"};
}

Exercise exercise_12_2() {
  return {.id = "s0.12-2",
          .title = "Fisher's identity for a normal pair",
          .source = "S0, Exercise 12.2",
          .question =
              "X ~ N(0, 1) and Y given X is N(X, eta^2). What is the mean of d/dy log q(y | X) over q(x | "
              "y), which "
              "Fisher's identity says is the score of Y?",
          .variables = {{"y", "the value of Y", -3, 3}, {"eta", "deviation of the noise", 0.3, 2}},
          .solution = "-y/(1 + eta^2)",
          .slips = {{"-y/eta^2",
                     "That averages over X's prior, of mean 0; given y the mean of X is y / (1 + eta^2)."},
                    {"-y", "That is the score of X; Y has the variance 1 + eta^2."},
                    {"-y/(1 + eta)", "eta is not squared."},
                    {"-y/sqrt(1 + eta^2)", "The variance divides, not the deviation."},
                    {"0", "That is eq. 8, the mean of the posterior's score; asked is the likelihood's."}},
          .check = "s0.learning.fisher-identity"};
}

Exercise reversal_of_geometric() {
  return {
      .id = "s0.reversal",
      .title = "The reversal of geometric Brownian motion",
      .source = "S0, Theorem 12.2 (our own)",
      .question =
          "dY = mu Y dt + sigma Y dB, and at time t log Y_t ~ N(m, v). What is the drift -b* of the reversed "
          "process at x?",
      .variables = {{"x", "the state, positive", 0.3, 3},
                    {"mu", "mu", -0.5, 0.5},
                    {"sigma", "sigma", 0.3, 1.2},
                    {"m", "mean of log Y_t", -0.5, 0.5},
                    {"v", "variance of log Y_t", 0.2, 1}},
      .solution = "-mu*x + sigma^2*x - sigma^2*x*(log(x) - m)/v",
      .slips = {{"-mu*x - sigma^2*x - sigma^2*x*(log(x) - m)/v",
                 "div a is missing: a = sigma^2 x^2 depends on x, so div a = 2 sigma^2 x."},
                {"-mu*x - sigma^2*x*(log(x) - m)/v",
                 "Only half of div a = 2 sigma^2 x is there, as in the flow."},
                {"mu*x + sigma^2*x - sigma^2*x*(log(x) - m)/v", "b changes its sign: the reversal has -b."},
                {"-mu*x + 2*sigma^2*x", "The score of p_t is missing: a grad log p."},
                {"-mu*x + 2*sigma^2*x - sigma^2*x*(log(x) - m)/v",
                 "The score of a log-normal law has -1/x too, from the change of variables."},
                {"mu*x - sigma^2*x + sigma^2*x*(log(x) - m)/v",
                 "The sign is wrong: that is b*, and -b* is asked for."}},
      .check = "s0.anderson.geometric"};
}

Exercise mean_without_x0() {
  return {
      .id = "s1.mean",
      .title = "The mean of the step back, without x_0",
      .source = "S1, \"Eliminate X_0\" (our own)",
      .question = "The mean of q(x_{t-1} | x_t, x_0), in terms of x = x_t and the noise eps in it.",
      .variables = {{"x", "x_t", -3, 3},
                    {"eps", "the noise", -2, 2},
                    {"beta", "beta_t", 0.02, 0.3},
                    {"alphabar", "alphabar_t, the product up to t", 0.1, 0.65}},
      .solution = "(x - beta/sqrt(1 - alphabar)*eps)/sqrt(1 - beta)",
      .slips = {{"(x - beta/(1 - alphabar)*eps)/sqrt(1 - beta)",
                 "A root is missing: eps is divided by sqrt(1 - alphabar)."},
                {"x - beta/sqrt(1 - alphabar)*eps", "The factor 1 / sqrt(1 - beta) is missing."},
                {"(x + beta/sqrt(1 - alphabar)*eps)/sqrt(1 - beta)", "The noise is subtracted, not added."},
                {"(x - beta/sqrt(1 - alphabar)*eps)/(1 - beta)",
                 "A root is missing: the factor is 1 / sqrt(1 - beta)."},
                {"(x - sqrt(1 - alphabar)*eps)/sqrt(alphabar)", "That is x_0 itself, not x_{t-1}."},
                {"(x - sqrt(beta)*eps)/sqrt(1 - beta)",
                 "That undoes one step as if all of the noise were of that step."}},
      .check = "s1.posterior.noise-form"};
}

Exercise denoising_score() {
  return {.id = "s2.score",
          .title = "What denoising score matching learns",
          .source = "S2, eq. 4.4 (our own)",
          .question = "mu = N(m, v). Which s(x) minimises E |s(X + sigma Z) + Z / sigma|^2?",
          .variables = {{"x", "the point", -3, 3},
                        {"m", "mean", -1, 1},
                        {"v", "variance", 0.2, 2},
                        {"sigma", "sigma", 0.3, 1.5}},
          .solution = "-(x - m)/(v + sigma^2)",
          .slips = {{"-(x - m)/v",
                     "That is the score of mu; with noise in the data the score of mu_sigma is learned."},
                    {"-(x - m)/(v + sigma)", "sigma is not squared."},
                    {"-(x - m)/sigma^2", "That is the score of the noise given X = m; X varies too."},
                    {"-x/(v + sigma^2)", "The mean m is left out."},
                    {"-(x - m)*sigma/(v + sigma^2)",
                     "That is the noise that is predicted, -E[Z | x], not the score."}},
          .check = "s2.denoising.constant"};
}

Exercise variance_of_chain() {
  return {.id = "s3.variance",
          .title = "The variance of an unrolled chain",
          .source = "S3, section 1.1.1 (our own)",
          .question = "x_t = a x_{t-1} + s eps_t from a fixed x_0. What is the variance of x_t?",
          .variables = {{"a", "the factor", 0.3, 0.95},
                        {"s", "deviation of a step's noise", 0.2, 2},
                        {"t", "the step", 1, 12}},
          .solution = "s^2*(1 - a^(2*t))/(1 - a^2)",
          .slips = {{"s^2*t", "That is a random walk, a = 1: earlier noise is damped by a at every step."},
                    {"s^2*(1 - a^t)/(1 - a)", "The factors a^(t-i) are squared in a variance."},
                    {"s*(1 - a^(2*t))/(1 - a^2)", "s is not squared."},
                    {"s^2/(1 - a^2)", "That is the limit for large t."},
                    {"1 - a^(2*t)", "That holds where s^2 = 1 - a^2 only."},
                    {"s^2*((1 - a^t)/(1 - a))^2",
                     "That squares the sum with i != j in it: different steps are uncorrelated."}},
          .check = "s3.chain.any-factor"};
}

}  // namespace

const std::vector<Exercise>& all_exercises() {
  static const std::vector<Exercise> all = {exercise_12_1(),   exercise_12_2(),   reversal_of_geometric(),
                                            mean_without_x0(), denoising_score(), variance_of_chain()};
  return all;
}

}  // namespace fokker::exercise
