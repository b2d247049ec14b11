#!/usr/bin/env python3
"""Writes extreme_reference.h: the exact denoiser at extreme noise levels, dimensions and distances, in 60-digit
arithmetic from the textbook formulas. Standard library only; run it from this folder."""
from decimal import Decimal as D, getcontext

getcontext().prec = 60
PI = D("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")


# Parameters are dyadic, so that the test rebuilds exactly these numbers.
def mean(k, j):
    return ((7 * j + 13 * k) % 11 - 5) / 4


def variance(kind, k, j):
    return {"points": 0.0, "isotropic": 0.25, "diagonal": (1 + (j + 2 * k) % 3) / 4}[kind]


def coordinate(case, j):
    """One rounding of a double, or none, as in the test."""
    if case["place"] == "beside":  # off the first component by up to |reach| in each coordinate
        return mean(0, j) + case["reach"] * (((3 * j) % 5 - 2) / 2)
    middle = (mean(0, j) + mean(1, j)) / 2  # between two components, where their weights are comparable
    return middle + case["reach"] * (mean(1, j) - mean(0, j))


def posterior(case):
    d, components, kind = case["d"], case["k"], case["kind"]
    alpha, sigma = D(case["alpha"]), D(case["sigma"])
    x = [D(coordinate(case, j)) for j in range(d)]
    logits, noise, denoised = [], [], []
    total_weight = D(sum(1 + k % 3 for k in range(components)))
    for k in range(components):
        logit = (D(1 + k % 3) / total_weight).ln()
        pull, data = [], []
        logs = {}
        for j in range(d):
            s, m = D(variance(kind, k, j)), D(mean(k, j))
            c = alpha * alpha * s + sigma * sigma
            r = x[j] - alpha * m
            if c not in logs:
                logs[c] = (2 * PI * c).ln()
            logit -= (r * r / c + logs[c]) / 2
            pull.append(sigma * r / c)
            data.append(m + alpha * s * r / c)
        logits.append(logit)
        noise.append(pull)
        denoised.append(data)
    largest = max(logits)
    weights = [(l - largest).exp() for l in logits]
    total = sum(weights)
    average = lambda values, j: sum(w * v[j] for w, v in zip(weights, values)) / total
    at = [0, d // 2, d - 1]
    return [average(denoised, j) for j in at], [average(noise, j) for j in at], largest + total.ln()


def cases():
    for d in (1, 2, 64, 3072):
        for kind in ("points", "isotropic", "diagonal"):
            for sigma in (1e-4, 1e-2, 1.0, 1e3):
                for alpha in (1.0, 1e-3):
                    deviation = max(sigma, alpha * (0.0 if kind == "points" else 0.5))
                    yield dict(d=d, k=3, kind=kind, alpha=alpha, sigma=sigma, place="beside", reach=100 * deviation)
    for d in (2, 3072):
        for sigma in (1e-4, 1e-2, 1.0):
            gap = sum((mean(1, j) - mean(0, j)) ** 2 for j in range(d))
            yield dict(d=d, k=2, kind="points", alpha=1.0, sigma=sigma, place="between", reach=sigma * sigma / gap)


def number(value):
    # Smaller ones are zero to a double.
    return f"{value:.50g}" if abs(value) > D("1e-300") else "0.0"


def main():
    lines = []
    for case in cases():
        denoised, noise, log_density = posterior(case)
        triple = lambda v: "{" + ", ".join(number(D(a)) for a in v) + "}"
        lines.append(
            f'    {{{case["d"]}, {case["k"]}, "{case["kind"]}", {case["alpha"]!r}, {case["sigma"]!r}, "{case["place"]}", '
            f'{case["reach"]!r},\n     {triple(denoised)},\n     {triple(noise)},\n     {number(log_density)}}},')
    with open("extreme_reference.h", "w") as out:
        out.write(HEADER + "\n".join(lines) + "\n};\n\n}  // namespace fokker\n")


HEADER = """#pragma once
// Written by extreme_reference.py, in 60-digit arithmetic.
#include <cstdint>
#include <string_view>

namespace fokker {

struct ExtremeCase {
  int64_t dimension, components;
  std::string_view kind;
  double alpha, sigma;
  std::string_view place;
  double reach;
  double denoised[3], noise[3];  // at the first, middle and last coordinate
  double log_density;
};

// clang-format off
inline constexpr ExtremeCase extreme_cases[] = {
"""

if __name__ == "__main__":
    main()
