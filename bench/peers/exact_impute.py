#!/usr/bin/python3
"""Stands in for `fokker impute` where the answer is known, for the self-test of bench/imputation.py.

usage: exact_impute.py impute LAW.json --data TABLE.csv --out FILLED.csv --draws K

A row is x, y: Gaussian with unit variances and correlation "rho"; n in 0..4 and c: of the joint frequencies "joint"[c][n].
Draws come from the exact conditional law of the empty cells. "spread" multiplies the standard deviation of the
conditional Gaussian, "order" is "rows" (the draws of a row follow each other) or "draws", and "touch" changes a known
cell: what a wrong program would do.
"""
import csv
import json
import random
import sys


def conditional(row, law, rng):
    x, y = row["x"], row["y"]
    slope, rest = law["rho"], law["spread"] * (1 - law["rho"] ** 2) ** 0.5
    if not x and not y:
        x = repr(law["spread"] * rng.gauss(0, 1))
        y = repr(slope * float(x) + rest * rng.gauss(0, 1))
    elif not y:
        y = repr(slope * float(x) + rest * rng.gauss(0, 1))
    elif not x:
        x = repr(slope * float(y) + rest * rng.gauss(0, 1))
    cells = [(level, str(n), weight) for level, weights in law["joint"].items() for n, weight in enumerate(weights)
             if row["c"] in ("", level) and row["n"] in ("", str(n))]
    level, n, _ = rng.choices(cells, [weight for _, _, weight in cells])[0]
    return {"x": x, "y": y, "n": n, "c": level}


def main():
    options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    with open(sys.argv[2], encoding="utf-8") as file:
        law = json.load(file)
    with open(options["--data"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    draws, rng = int(options["--draws"]), random.Random(1)
    filled = [(draw, index, conditional(row, law, rng)) for index, row in enumerate(rows) for draw in range(draws)]
    if law["order"] == "draws":
        filled.sort(key=lambda item: item[:2])
    if law["touch"]:
        filled[0][2]["x"] = "9"
    with open(options["--out"], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((["draw"] if draws > 1 else []) + ["x", "y", "n", "c"])
        for draw, _, row in filled:
            writer.writerow(([draw] if draws > 1 else []) + [row[name] for name in ("x", "y", "n", "c")])


if __name__ == "__main__":
    main()
