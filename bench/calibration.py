#!/usr/bin/env python3
"""Trains posteriors from pairs of a simulator and holds them against the exact ones; one line of JSON for each problem.

usage: bench/calibration.py FOKKER [--problem linear|moons|both] [--pairs 20000] [--seed 0] [--threads 1] [--keep FOLDER]
       [--draws 4000] [--calibration-rows 1000] [--calibration-draws 1000] [-- ARGUMENTS OF fokker train]

linear  theta ~ N(0, I) in 5 dimensions, x = A theta + 0.5 N(0, I), A drawn from the seed. The posterior is normal, with
        covariance C = (I + A'A / 0.25)^-1 and mean C A'x / 0.25. Over 100 held-out x: errors of the mean of the draws in each
        coordinate (largest, and root mean square), and the relative Frobenius error of their covariance (largest, and mean).
        What as many exact draws have is given beside it, and the errors of the means of the least squares of the same pairs, which
        no estimator without bias improves on: what the pairs themselves do not say.
moons   theta uniform on (-1, 1)^2, x = (r cos a + 0.25 - |theta_0 + theta_1| / sqrt 2, r sin a + (theta_1 - theta_0) / sqrt 2),
        a uniform on (-pi/2, pi/2), r ~ N(0.1, 0.01^2) (two moons: Greenberg et al. 2019, Lueckmann et al. 2021). The posterior
        is sampled exactly: given a and r, x gives theta up to the sign of theta_0 + theta_1; draws outside of the square go.
        Over 5 held-out x: accuracy of fokker evaluate's classifier between learned and exact draws (0.5: not to be told apart).

Both: fokker calibrate on --calibration-rows held-out pairs, --calibration-draws draws of each. Needs Python alone.
"""
import argparse
import array
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile

DIMENSION, NOISE, PLACES = 5, 0.5, 100


def inverse(matrix):
    n = len(matrix)
    rows = [list(row) + [float(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i])]
    return [row[n:] for row in rows]


def product(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


class Linear:
    names = ["theta%d" % i for i in range(DIMENSION)] + ["x%d" % i for i in range(DIMENSION)]
    conditions = names[DIMENSION:]

    def __init__(self, rng):
        self.a = [[rng.gauss(0, 1) for _ in range(DIMENSION)] for _ in range(DIMENSION)]
        square = [[sum(self.a[k][i] * self.a[k][j] for k in range(DIMENSION)) for j in range(DIMENSION)]
                  for i in range(DIMENSION)]
        self.covariance = inverse([[float(i == j) + square[i][j] / NOISE**2 for j in range(DIMENSION)]
                                   for i in range(DIMENSION)])

    def pair(self, rng):
        theta = [rng.gauss(0, 1) for _ in range(DIMENSION)]
        return theta + [y + NOISE * rng.gauss(0, 1) for y in product(self.a, theta)]

    def mean(self, x):
        pulled = [sum(self.a[k][i] * x[k] for k in range(DIMENSION)) / NOISE**2 for i in range(DIMENSION)]
        return product(self.covariance, pulled)

    def exact_draws(self, rng, x, count):
        factor = cholesky(self.covariance)
        mean = self.mean(x)
        for _ in range(count):
            z = [rng.gauss(0, 1) for _ in range(DIMENSION)]
            yield [m + sum(factor[i][j] * z[j] for j in range(i + 1)) for i, m in enumerate(mean)]

    def errors(self, x, draws):
        mean, covariance = moments(draws)
        away = [a - b for a, b in zip(mean, self.mean(x))]
        size = math.sqrt(sum(c * c for row in self.covariance for c in row))
        off = math.sqrt(sum((a - b)**2 for one, two in zip(covariance, self.covariance) for a, b in zip(one, two)))
        return away, off / size

    def least_squares(self, pairs):
        """theta = W (x, 1) of the pairs, (6, 5)."""
        square = [[0.0] * (DIMENSION + 1) for _ in range(DIMENSION + 1)]
        mixed = [[0.0] * DIMENSION for _ in range(DIMENSION + 1)]
        for pair in pairs:
            x = pair[DIMENSION:] + [1.0]
            for value, to_square, to_mixed in zip(x, square, mixed):
                for j in range(DIMENSION + 1):
                    to_square[j] += value * x[j]
                for j in range(DIMENSION):
                    to_mixed[j] += value * pair[j]
        columns = [product(inverse(square), column) for column in zip(*mixed)]
        return lambda x: [sum(w * value for w, value in zip(column, x + [1.0])) for column in columns]

    def compare(self, run):
        rng = random.Random(run.seed + 2)
        places = [self.pair(rng) for _ in range(PLACES)]
        learned = run.sample(places, self, run.draws)
        exact = [list(self.exact_draws(rng, pair[DIMENSION:], run.draws)) for pair in places]
        training = random.Random(run.seed)
        fitted = self.least_squares(self.pair(training) for _ in range(run.options.pairs))
        away = [a - b for pair in places for a, b in zip(fitted(pair[DIMENSION:]), self.mean(pair[DIMENSION:]))]
        return {"learned": self.summary(places, learned), "as many exact draws": self.summary(places, exact),
                "least squares of the pairs": {"mean_error_largest": max(abs(v) for v in away),
                                               "mean_error_rms": math.sqrt(sum(v * v for v in away) / len(away))}}

    def summary(self, places, draws):
        away, off = zip(*(self.errors(pair[DIMENSION:], rows) for pair, rows in zip(places, draws)))
        each = [value for row in away for value in row]
        return {"mean_error_largest": max(abs(v) for v in each),
                "mean_error_rms": math.sqrt(sum(v * v for v in each) / len(each)),
                "covariance_error_largest": max(off), "covariance_error_mean": sum(off) / len(off)}


class Moons:
    names = ["theta0", "theta1", "x0", "x1"]
    conditions = names[2:]

    def __init__(self, rng):
        pass

    @staticmethod
    def crescent(rng):
        angle, radius = rng.uniform(-math.pi / 2, math.pi / 2), rng.gauss(0.1, 0.01)
        return radius * math.cos(angle) + 0.25, radius * math.sin(angle)

    def pair(self, rng):
        theta = [rng.uniform(-1, 1), rng.uniform(-1, 1)]
        p = self.crescent(rng)
        root = math.sqrt(2)
        return theta + [p[0] - abs(theta[0] + theta[1]) / root, p[1] + (theta[1] - theta[0]) / root]

    def exact_draws(self, rng, x, count):
        while count > 0:
            p = self.crescent(rng)
            size, difference = math.sqrt(2) * (p[0] - x[0]), math.sqrt(2) * (x[1] - p[1])
            total = size * rng.choice((-1, 1))
            theta = [(total - difference) / 2, (total + difference) / 2]
            if size >= 0 and max(map(abs, theta)) < 1:
                count -= 1
                yield theta

    def compare(self, run):
        rng = random.Random(run.seed + 2)
        places = [self.pair(rng) for _ in range(5)]
        accuracies = []
        for pair, rows in zip(places, run.sample(places, self, run.draws)):
            run.write("learned.csv", ["theta0", "theta1"], rows)
            run.write("exact.csv", ["theta0", "theta1"], self.exact_draws(rng, pair[2:], run.draws))
            found = run.fokker("evaluate", "--samples", "learned.csv", "--reference", "exact.csv")
            accuracies.append(found["c2st_accuracy"])
        return {"c2st_accuracy": accuracies}


def cholesky(matrix):
    n = len(matrix)
    factor = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = math.sqrt(rest) if i == j else rest / factor[j][j]
    return factor


def moments(rows):
    n, d = len(rows), len(rows[0])
    mean = [sum(row[i] for row in rows) / n for i in range(d)]
    centred = [[row[i] - mean[i] for row in rows] for i in range(d)]
    return mean, [[sum(a * b for a, b in zip(centred[i], centred[j])) / (n - 1) for j in range(d)] for i in range(d)]


def read_npy(path):
    """Rows of a float64 array (n, d) as fokker writes it."""
    with open(path, "rb") as file:
        file.seek(8)
        header = file.read(int.from_bytes(file.read(2), "little")).decode()
        shape = eval(header)["shape"]
        values = array.array("d")
        values.frombytes(file.read())
    return [values[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]


class Run:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.seed, self.draws = options.seed, options.draws

    def fokker(self, *arguments):
        command = [self.options.fokker, *arguments, "--json", "--quiet", "--threads", str(self.options.threads)]
        found = subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE)
        return json.loads(found.stdout)

    def write(self, name, columns, rows):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(",".join(columns) + "\n")
            for row in rows:
                file.write(",".join(repr(value) for value in row) + "\n")

    def sample(self, places, problem, count):
        """Draws of theta given the x of each pair."""
        first = problem.names.index(problem.conditions[0])
        self.write("given.csv", problem.conditions, [pair[first:] for pair in places])
        self.fokker("sample", "run", "--given-file", "given.csv", "--n", str(count), "--out", "draws.npy")
        rows = read_npy(os.path.join(self.folder, "draws.npy"))
        return [[row[:first] for row in rows[i * count:(i + 1) * count]] for i in range(len(places))]


def measure(name, options, arguments, folder):
    run = Run(options, folder)
    problem = {"linear": Linear, "moons": Moons}[name](random.Random(options.seed + 3))
    rng = random.Random(options.seed)
    run.write("pairs.csv", problem.names, (problem.pair(rng) for _ in range(options.pairs)))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    trained = run.fokker("train", "--data", "pairs.csv", "--condition", ",".join(problem.conditions), "--out", "run",
                         "--overwrite", "--no-report", "--seed", str(options.seed), *arguments)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    held_out = random.Random(options.seed + 1)
    run.write("held-out.csv", problem.names, (problem.pair(held_out) for _ in range(options.calibration_rows)))
    calibration = run.fokker("calibrate", "run", "--data", "held-out.csv", "--out", "calibration.json", "--draws",
                             str(options.calibration_draws))
    return {"problem": name, "pairs": options.pairs, "steps": trained["steps"], "processor_seconds": round(seconds, 1),
            "calibration": {key: calibration[key] for key in ("n", "draws", "p_value", "decided_by")},
            **problem.compare(run)}


def main():
    own, rest = sys.argv[1:], []
    if "--" in own:
        own, rest = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fokker", type=os.path.abspath)
    parser.add_argument("--problem", choices=["linear", "moons", "both"], default="both")
    parser.add_argument("--pairs", type=int, default=20000)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--calibration-rows", type=int, default=1000)
    parser.add_argument("--calibration-draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep")
    options = parser.parse_args(own)
    for name in ["linear", "moons"] if options.problem == "both" else [options.problem]:
        if options.keep:
            folder = os.path.join(options.keep, name)
            os.makedirs(folder, exist_ok=True)
            print(json.dumps(measure(name, options, rest, folder)), flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(name, options, rest, folder)), flush=True)


if __name__ == "__main__":
    main()
