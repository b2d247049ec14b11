#!/usr/bin/python3
"""Every standard error that the command prints, compared with the spread of its figure over seeds.

usage: standard_errors.py FOKKER [--seeds 50] [--only NAME...] [--threads 1]

A row: the figure, what differs between seeds, the root mean square of the printed errors, the deviation of the figure
over the seeds, and their ratio. The deviation of n values has a relative error of about 1 / sqrt(2 (n - 1)): 0.10 for
50 seeds, so ratios of 0.7 to 1.3 are what right errors give (3 errors), and less is an error that is printed too large.
"""
import argparse
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

TARGET = "two-modes"
TWO_MODES = {"weights": [0.2, 0.8], "means": [[-5, -5], [5, 5]], "covariances": [1, 1]}
NORMAL = {"weights": [1], "means": [[0] * 30], "covariances": [1]}


class Runner:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def __call__(self, *arguments):
        command = [self.options.fokker, *map(str, arguments), "--threads", str(self.options.threads), "--quiet"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode not in (0, 1):  # 1: a check of the theory failed, which is measured all the same
            sys.exit(f"standard_errors: {' '.join(command)}: {done.stderr}")
        return done.stdout

    def result(self, *arguments):
        return json.loads(self(*arguments, "--json"))

    def draw(self, name, n, seed, law):
        """Draws of the law, by Python, which is quicker than a process."""
        rng = random.Random(seed)
        rows = []
        for _ in range(n):
            mean = rng.choices(law["means"], law["weights"])[0]
            rows.append(",".join(repr(rng.gauss(m, 1)) for m in mean))
        header = ",".join(f"x{i}" for i in range(len(law["means"][0])))
        (pathlib.Path(self.folder) / name).write_text("\n".join([header, *rows]) + "\n")
        return name

    def target(self, law):
        """The file of a law."""
        name = f"law-{len(law['means'])}-{len(law['means'][0])}.json"
        (pathlib.Path(self.folder) / name).write_text(json.dumps({"type": "gaussian_mixture", **law}))
        return name


def likelihood(run, seed, rows, *more, law=TWO_MODES, fixed=False, error="standard_error"):
    data = run.draw("rows.csv", rows, 12345 if fixed else seed, law)
    found = run.result("likelihood", "--target", run.target(law), "--process", "vp", "--data", data, "--seed", seed, *more)
    return {"": (found["nats"], found[error])}


def classifier(run, seed):
    found = run.result("evaluate", "--samples", run.draw("x.csv", 500, seed, TWO_MODES), "--reference",
                       run.draw("y.csv", 500, 1000 + seed, TWO_MODES), "--seed", seed)
    return {"": (found["c2st_accuracy"], found["c2st_standard_error"])}


def trained(run):
    if not (pathlib.Path(run.folder) / "run").exists():
        run("train", "--data", f"target:{TARGET}", "--rows", 2000, "--out", "run", "--steps", 300, "--width", 64, "--depth",
            2, "--no-report")
    return "run"


def score_error(run, seed):
    found = run.result("evaluate", "--run", trained(run), "--reference", f"target:{TARGET}", "--n", 2000, "--times", 4,
                       "--seed", seed)
    figures = {}
    for kind in ("fisher_divergence", "noise_error"):
        for t, value, error in zip(found["times"], found[kind], found[kind + "_standard_error"]):
            figures[f"{kind}, t = {t:.2f}"] = (value, error)
    return figures


def loss_profile(run, seed):
    profile = run.result("report", trained(run), "--seed", seed, "--out", "page.html")["loss_profile"]
    places = range(0, len(profile["loss"]), 5)
    return {f"t = {profile['times'][i]:.2f}": (profile["loss"][i], profile["standard_error"][i]) for i in places}


def verify(run, seed):
    """How far each finding is from what is expected of it, which itself differs between seeds where a problem is drawn or
    a network is trained anew. Errors of the size of rounding are of what is the same for every draw."""
    figures = {}
    for check in run.result("verify", "--seed", seed)["checks"]:
        for place, finding in enumerate(check["findings"]):
            if finding["standard_error"] > 1e-12:
                name = f"{check['id']}, {place}: {finding['what']}"
                figures[name] = (finding["measured"] - finding["expected"], finding["standard_error"])
    return figures


CASES = {
    "likelihood, exact, 200 rows": ("rows", lambda r, s: likelihood(r, s, 200, "--rtol", 1e-3, "--atol", 1e-3)),
    "likelihood, Hutchinson, 200 rows": ("rows and directions", lambda r, s: likelihood(
        r, s, 200, "--divergence", "hutchinson", "--rtol", 1e-3, "--atol", 1e-3)),
    "likelihood, Hutchinson, the directions' own": ("directions", lambda r, s: likelihood(
        r, s, 200, "--divergence", "hutchinson", "--rtol", 1e-3, "--atol", 1e-3, fixed=True, error="probe_standard_error")),
    "bound, 200 rows": ("rows and noise", lambda r, s: likelihood(r, s, 200, "--method", "elbo", "--steps", 50)),
    "bound, 8 rows": ("rows and noise", lambda r, s: likelihood(r, s, 8, "--method", "elbo", "--steps", 50)),
    "bound, 8 rows of N(0, I) in 30 dimensions": ("rows and noise", lambda r, s: likelihood(
        r, s, 8, "--method", "elbo", "--steps", 50, law=NORMAL)),
    "bound, one row": ("noise", lambda r, s: likelihood(r, s, 1, "--method", "elbo", "--steps", 50, fixed=True)),
    "c2st_accuracy, 500 rows": ("rows and folds", classifier),
    "error of a score": ("draws of x_t", score_error),
    "loss profile of a report": ("rows and noise", loss_profile),
    "verify": ("all randomness", verify),
}


def quantile_of_ratio(probability, seeds):
    """Of the deviation of `seeds` normal numbers in units of the true one (Wilson and Hilferty 1931)."""
    degrees = seeds - 1
    z = statistics.NormalDist().inv_cdf(probability)
    return math.sqrt((1 - 2 / (9 * degrees) + z * math.sqrt(2 / (9 * degrees))) ** 3)


def compare(values):
    """(root mean square of the errors, deviation of the figures, ratio)"""
    said = math.sqrt(statistics.fmean(error * error for _, error in values))
    true = statistics.stdev(figure for figure, _ in values)
    return said, true, true / said if said > 0 else math.inf


def measure(run, name):
    what, case = CASES[name]
    figures = {}
    for seed in range(run.options.seeds):
        for part, pair in case(run, seed).items():
            figures.setdefault(part, []).append(pair)
    rows = {part: compare(pairs) for part, pairs in figures.items() if len(pairs) > 2}
    if name == "verify":  # hundreds: how their ratios lie, and the most extreme
        ratios = sorted((ratio, part) for part, (_, _, ratio) in rows.items())
        for q in (0.05, 0.25, 0.5, 0.75, 0.95):
            print(f"| verify, {len(ratios)} figures: {100 * q:.0f} % of the ratios are below | {what} | | | "
                  f"{ratios[int(q * (len(ratios) - 1))][0]:.2f} (right errors: {quantile_of_ratio(q, run.options.seeds):.2f}) |")
        for ratio, part in ratios[:3] + ratios[-3:]:
            print(f"| {part} | {what} | {rows[part][0]:.3g} | {rows[part][1]:.3g} | {ratio:.2f} |")
        return
    for part, (said, true, ratio) in rows.items():
        print(f"| {name}{': ' if part else ''}{part} | {what} | {said:.3g} | {true:.3g} | {ratio:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fokker", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of figures")
    options = parser.parse_args()
    if options.seeds < 3:
        parser.error(f"--seeds: expected at least 3 but received {options.seeds}")
    with tempfile.TemporaryDirectory() as folder:
        run = Runner(options, folder)
        print("| figure | differs between seeds | standard error | deviation over seeds | ratio |\n|---|---|---|---|---|", flush=True)
        for name in CASES:
            if not options.only or any(part in name for part in options.only):
                measure(run, name)


if __name__ == "__main__":
    main()
