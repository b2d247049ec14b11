#!/usr/bin/env python3
"""Hides known cells of a real table, has them imputed, and measures whether the draws are calibrated; one line of JSON.

usage: build/peers/bin/python bench/imputation.py FOKKER RUN --data TABLE.csv [--train TRAIN.csv] [--fraction 0.2]
       [--rows 4000] [--draws 50] [--kinds COLUMN=numerical,...] [--seed 0] [--keep FOLDER] [-- ARGUMENTS OF FOKKER]
       build/peers/bin/python bench/imputation.py --self-test

Every cell that holds a value is hidden with probability --fraction, whatever it and the others hold (MCAR), in a copy of
--rows rows drawn at random; then `FOKKER impute RUN --data COPY --out FILLED --draws K`. --data should hold rows that the
run has not seen; --train gives the marginal frequencies to compare with.

  coverage   per numeric column, per cent of hidden values within the central 50, 90 and 99 % of the draws, with its
             standard error. With `below` draws less than the value and `ties` equal to it,
             u = (below + U (ties + 1)) / (K + 1), U uniform. If value and draws are exchangeable, as they are where the
             draws have the right conditional law, u is uniform for any K and however discrete the values are; the
             value lies within the central q where |u - 1/2| <= q/2.
  crps       continuous ranked probability score of the draws over that of the marginal law: below 1 is informative
  log_loss   per category column, in nats, of the draws' frequencies with one added to each level's count, and of the
             marginal frequencies; mixed: one draw's worth of the marginal frequencies added instead
  match      how often a draw is the hidden level, and (expected) how often two draws agree: equal where calibrated
  changed    known cells that came back otherwise: as text, and as value. Cells that hold nothing or a mark of
             missing values (?, NA, ...) are neither hidden nor compared.

Needs script/peers --tables.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import table_data  # first, as it says how many threads numpy gets

import numpy
import pandas

MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "-"}
LEVELS = (0.5, 0.9, 0.99)


def is_known(texts):
    return numpy.stack([~texts[name].str.strip().str.lower().isin(MISSING).to_numpy() for name in texts], 1)


def impute(arguments, hidden, folder):
    """The draws as texts, (draws, rows, columns); seconds; peak memory in MB."""
    data, out = f"{folder}/hidden.csv", f"{folder}/filled.csv"
    hidden.to_csv(data, index=False)
    command = [*arguments.fokker.split(), "impute", arguments.run, "--data", data, "--out", out,
               "--draws", str(arguments.draws), *arguments.more]
    start = time.time()
    done = subprocess.run(command, stdout=sys.stderr)
    seconds = time.time() - start
    if done.returncode:
        table_data.stop(f"{' '.join(command)}: exit {done.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return by_draw(pandas.read_csv(out, dtype=str, keep_default_na=False), hidden, arguments.draws), seconds, peak


def by_draw(filled, hidden, draws):
    """Rows of one draw in their order, whether draws of a row or rows of a draw follow each other."""
    if draws > 1 and filled.columns[0] != "draw":
        table_data.stop(f"expected a first column draw but received {filled.columns[0]}")
    groups = filled.groupby(filled.columns[0], sort=False) if draws > 1 else [("", filled)]
    parts = [group.iloc[:, 1:] if draws > 1 else group for _, group in groups]
    for part in parts:
        if list(part.columns) != list(hidden.columns) or len(part) != len(hidden):
            table_data.stop(f"expected {len(hidden)} rows of {len(hidden.columns)} columns in each draw but received "
                            f"{len(part)} rows of {', '.join(part.columns)}")
    if len(parts) != draws:
        table_data.stop(f"expected {draws} draws but received {len(parts)}")
    return numpy.stack([part.to_numpy(object) for part in parts])


def numbers(texts):
    return pandas.to_numeric(pandas.Series(texts.ravel()), errors="coerce").to_numpy(float).reshape(texts.shape)


def pairwise_difference(draws):
    """Mean |X - X'| over pairs of different draws (axis 0), by the order statistics."""
    count = len(draws)
    weights = 2 * numpy.arange(count) - count + 1
    return 2 * (weights[:, None] * numpy.sort(draws, 0)).sum(0) / (count * (count - 1))


def score_of_marginal(truth, held):
    """CRPS of the empirical law of `held` at each truth."""
    held = numpy.sort(held)
    sums = numpy.concatenate([[0], numpy.cumsum(held)])
    below = numpy.searchsorted(held, truth)
    distance = truth * below - sums[below] + sums[-1] - sums[below] - truth * (len(held) - below)
    return distance / len(held) - 0.5 * pairwise_difference(held[:, None])[0]


def numeric_scores(texts, truth, held, random):
    draws, truth = numbers(texts), numbers(truth)
    held = held[~numpy.isnan(held)]
    lost = int(numpy.isnan(draws).sum())
    usable = ~numpy.isnan(draws).any(0)
    draws, truth = draws[:, usable], truth[usable]
    if not len(truth):
        return {"cells": 0, "draws_without_number": lost}
    below, ties = (draws < truth).sum(0), (draws == truth).sum(0)
    place = (below + random.random(len(truth)) * (ties + 1)) / (len(draws) + 1)
    result = {"cells": len(truth), "draws_without_number": lost}
    for level in LEVELS:
        inside = numpy.abs(place - 0.5) <= level / 2
        result[f"{100 * level:g}"] = round(100 * float(inside.mean()), 2)
        result[f"{100 * level:g}_se"] = round(100 * float((level * (1 - level) / len(truth)) ** 0.5), 2)
    if len(draws) > 1:
        score = numpy.abs(draws - truth).mean(0) - 0.5 * pairwise_difference(draws)
        marginal = score_of_marginal(truth, held).mean()
        result["crps"] = round(float(score.mean() / marginal), 3) if marginal > 0 else None  # None: a constant
    return result


def category_scores(texts, truth, held):
    levels = sorted(set(held))
    code = {level: index for index, level in enumerate(levels)}
    draws, cells = len(texts), len(truth)
    unseen = sum(text not in code for text in texts.ravel())
    count = numpy.zeros((cells, len(levels) + 1))  # the last: levels that the table has not
    for row in texts:
        count[numpy.arange(cells), [code.get(text, len(levels)) for text in row]] += 1
    marginal = numpy.bincount([code[level] for level in held], minlength=len(levels)) + 1.0
    marginal = numpy.append(marginal / marginal.sum(), 0)
    place = numpy.array([code.get(text, -1) for text in truth])
    if (place < 0).any():
        place, count = place[place >= 0], count[place >= 0]
    hit = count[numpy.arange(len(place)), place]
    result = {"cells": len(place), "unseen_levels": unseen,
              "log_loss": round(float(-numpy.log((hit + 1) / (draws + len(levels))).mean()), 4),
              "log_loss_mixed": round(float(-numpy.log((hit + marginal[place]) / (draws + 1)).mean()), 4),
              "log_loss_marginal": round(float(-numpy.log(marginal[place]).mean()), 4),
              "match": round(100 * float(hit.mean() / draws), 2)}
    if draws > 1:
        agree = (count * (count - 1)).sum(1) / (draws * (draws - 1))
        difference = hit / draws - agree
        result["match_expected"] = round(100 * float(agree.mean()), 2)
        result["match_se"] = round(100 * float(difference.std() / len(place) ** 0.5), 2)
    return result


def changed_cells(draws, texts, compared):
    """Known cells that came back otherwise, over all draws."""
    before = numpy.broadcast_to(texts.to_numpy(object), draws.shape)
    differs = (draws != before) & compared
    values = [numbers(part[differs]) for part in (draws, before)]
    return {"texts": int(differs.sum()), "values": int((~(values[0] == values[1])).sum())}


def measure(arguments, folder):
    random = numpy.random.default_rng(arguments.seed)
    table = table_data.Table(arguments.data)
    kinds = table_data.kinds_of(table.values, arguments.kinds)
    train = table_data.Table(arguments.train, list(table.values.columns)) if arguments.train else table
    chosen = numpy.sort(random.permutation(len(table))[:arguments.rows])
    texts = table.texts.iloc[chosen].reset_index(drop=True)
    known, held_known = is_known(texts), is_known(train.texts)
    hidden_cells = known & (random.random(known.shape) < arguments.fraction)
    draws, seconds, peak = impute(arguments, texts.mask(hidden_cells, ""), folder)
    result = {"rows": len(texts), "draws": arguments.draws, "hidden": int(hidden_cells.sum()),
              "seconds": round(seconds, 1), "peak_mb": round(peak),
              "changed": changed_cells(draws, texts, known & ~hidden_cells), "numeric": {}, "categories": {}}
    for index, (name, kind) in enumerate(kinds.items()):
        rows = numpy.flatnonzero(hidden_cells[:, index])
        drawn, truth = draws[:, rows, index], texts[name].to_numpy(object)[rows]
        held = train.texts[name].to_numpy(object)[held_known[:, index]]
        if kind == "numerical":
            result["numeric"][name] = numeric_scores(drawn, truth, numbers(held), random)
        else:
            result["categories"][name] = category_scores(drawn, truth, held)
    return {**result, **summary(result)}


def summary(result):
    covered = [column for column in result["numeric"].values() if column["cells"]]
    cells = sum(column["cells"] for column in covered)
    return {"coverage": {f"{100 * level:g}": round(sum(column[f"{100 * level:g}"] * column["cells"] for column in covered)
                                                   / cells, 2) for level in LEVELS} if cells else None,
            "worst_coverage_error": max((round(abs(column[f"{100 * level:g}"] - 100 * level), 2)
                                         for column in covered for level in LEVELS), default=None)}


def self_test():
    """Draws of the exact conditional law are calibrated; too wide, too narrow and a touched cell are told."""
    joint = {"a": [0.3, 0.1, 0.05, 0.05, 0.0], "b": [0.05, 0.05, 0.1, 0.1, 0.2]}
    random = numpy.random.default_rng(0)
    rows, rho = 4000, 0.8
    x = random.normal(size=rows)
    cells = random.choice(10, rows, p=numpy.array([*joint["a"], *joint["b"]]))
    data = pandas.DataFrame({"x": x, "y": rho * x + 0.6 * random.normal(size=rows), "n": cells % 5,
                             "c": numpy.where(cells < 5, "a", "b")})
    fake = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers/exact_impute.py")
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(f"{folder}/data.csv", index=False)
        for spread, order, touch, draws in ((1, "rows", False, 20), (1, "draws", False, 20), (1, "rows", False, 1),
                                            (2, "rows", False, 20), (0.5, "draws", True, 20)):
            with open(f"{folder}/law.json", "w", encoding="utf-8") as file:
                json.dump({"rho": rho, "joint": joint, "spread": spread, "order": order, "touch": touch}, file)
            found = measure(parse([f"{sys.executable} {fake}", f"{folder}/law.json", "--data", f"{folder}/data.csv",
                                   "--kinds", "n=numerical", "--rows", str(rows), "--draws", str(draws)]), folder)
            print(json.dumps(found))
            check(found, spread, touch)
    print("imputation: the self-test passed")


def check(found, spread, touch):
    """Five standard errors of the exact law's figures; the spread of x and y shows in theirs alone."""
    def within(column, exact):
        return all(abs(column[f"{100 * level:g}"] - 100 * level) < 5 * column[f"{100 * level:g}_se"]
                   for level in LEVELS) == exact

    numeric, category = found["numeric"], found["categories"]["c"]
    expected = [(found["changed"]["values"] > 0) == touch, within(numeric["n"], True),
                within(numeric["x"], spread == 1 or found["draws"] == 1), within(numeric["y"], spread == 1)]
    if found["draws"] > 1:
        expected += [abs(category["match"] - category["match_expected"]) < 5 * category["match_se"],
                     category["log_loss"] < category["log_loss_marginal"]]
        # Where both are hidden with probability 0.2: 0.8 of 0.6 and 0.2 of 1, the ratio of the standard deviations.
        expected += [abs(numeric["y"]["crps"] - 0.68) < 0.03] if spread == 1 else []
    if not all(expected):
        table_data.stop(f"the self-test failed at spread {spread}: {expected}")


def parse(texts):
    more = texts[texts.index("--") + 1:] if "--" in texts else []
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fokker")
    parser.add_argument("run")
    parser.add_argument("--data", required=True)
    for name in ("--train", "--keep"):
        parser.add_argument(name)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--fraction", type=float, default=0.2)
    for name, value in (("--rows", 4000), ("--draws", 50), ("--seed", 0)):
        parser.add_argument(name, type=int, default=value)
    arguments = parser.parse_args(texts[:texts.index("--")] if "--" in texts else texts)
    arguments.more = more
    return arguments


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    arguments = parse(sys.argv[1:])
    if arguments.keep:
        os.makedirs(arguments.keep, exist_ok=True)
        print(json.dumps(measure(arguments, arguments.keep)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments, folder)))


if __name__ == "__main__":
    main()
