"""Prints posterior_reference.h: posteriors of Gaussian mixtures by numpy in float64, in the information form."""
import numpy as np


def log_normal(r, c):
    return -0.5 * (r @ np.linalg.solve(c, r) + np.linalg.slogdet(c)[1] + len(r) * np.log(2 * np.pi))


def reference(seed, d, m, noise, k=3):
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(k))
    means = rng.normal(size=(k, d)) * 2
    v = rng.uniform(0.2, 1.5, size=k)
    a = rng.normal(size=(m, d)) / np.sqrt(d)
    y = a @ (means[0] + np.sqrt(v[0]) * rng.normal(size=d)) + noise * rng.normal(size=m)
    log, post_means, post_cov = [], [], []
    for j in range(k):
        log.append(np.log(w[j]) + log_normal(y - a @ means[j], v[j] * a @ a.T + noise**2 * np.eye(m)))
        precision = np.eye(d) / v[j] + a.T @ a / noise**2
        post_cov.append(np.linalg.inv(precision))
        post_means.append(np.linalg.solve(precision, means[j] / v[j] + a.T @ y / noise**2))
    log = np.array(log)
    evidence = np.logaddexp.reduce(log)
    weights = np.exp(log - evidence)
    points = post_means[int(np.argmax(weights))] + 0.5 * rng.normal(size=(3, d))
    density = [
        np.logaddexp.reduce([np.log(weights[j]) + log_normal(x - post_means[j], post_cov[j]) for j in range(k)])
        for x in points
    ]
    return [w, means, v, a, y, noise, weights, np.array(post_means), points, np.array(density), evidence]


def text(value):
    if np.ndim(value) == 0:
        return repr(float(value))
    return "{" + ", ".join(text(v) for v in value) + "}"


print("#pragma once\n// Written by posterior_reference.py.\n#include <vector>\n\nnamespace fokker {\n")
print("struct PosteriorReference {")
print("  std::vector<double> weights;\n  std::vector<std::vector<double>> means;\n  std::vector<double> variances;")
print("  std::vector<std::vector<double>> matrix;\n  std::vector<double> y;\n  double noise;")
print("  std::vector<double> posterior_weights;\n  std::vector<std::vector<double>> posterior_means, points;")
print("  std::vector<double> log_density;\n  double log_evidence;\n};\n")
print("// clang-format off\ninline std::vector<PosteriorReference> posterior_references() {\n  return {")
for seed, d, m, noise in [(1, 2, 1, 0.3), (2, 10, 4, 0.5), (3, 10, 12, 0.2)]:
    print("    {" + ",\n     ".join(text(v) for v in reference(seed, d, m, noise)) + "},")
print("  };\n}\n// clang-format on\n\n}  // namespace fokker")
