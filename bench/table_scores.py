#!/usr/bin/env python3
"""Scores a synthetic table beside the real one it was made from, as the field's papers do; one line of JSON.

usage: build/peers/bin/python bench/table_scores.py --real TRAIN.csv --synthetic S.csv [--test HELDOUT.csv]
       [--target COLUMN] [--kinds COLUMN=numerical,...] [--quick] [--details] [--check] [--seed 0]

  shape, trend   errors in per cent: the evaluation of TabSyn (Zhang et al., 2024) and TabDiff (Shi et al., 2025),
                 which is SDMetrics' quality report without the thresholds on correlation and association that came
                 in 2026. Shape: the mean over columns of the Kolmogorov-Smirnov distance or the total variation. Trend: the mean
                 over pairs of half the difference of correlations, or the total variation of the two-way table, numbers
                 in ten equal bins of each table's own range (trend_real_bins: of the real table's range).
  detection      AUC of gradient-boosted trees that tell real rows from synthetic ones, five folds, as many rows of
                 both; 0.5 is best
  logistic       SDMetrics' logistic detection score; 1 is best
  utility        AUC on --test of trees trained on synthetic rows, and on real ones (R2 where the target is a number)
  copies         synthetic rows that equal a training row, and --test rows that do
  dcr            share of synthetic rows nearer to training rows than to --test rows, of as many each, ties counting
                 half: 0.5 where nothing is memorized; dcr_all: all training rows, as TabSyn has it, and its expectation
  impossible     cells of levels never seen, out of range, with fractions among integers, missing where none is
  heldout        the figures of the --test rows in the place of synthetic ones

Needs script/peers --tables. --details lists columns and the worst pairs on the error stream; --check compares shape and
trend with SDMetrics itself; --quick leaves out all but shape, trend, copies and impossible. One thread, unless
OMP_NUM_THREADS says otherwise: the trees' barriers are slow where others use the cores.
"""
import argparse
import itertools
import json
import sys
import time
import warnings

import table_data  # first, as it says how many threads numpy gets

import numpy
import pandas
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

BINS = 10
MOST_LEVELS = 250  # of the trees' own handling of categories, which takes at most 255


def shape_errors(real, synthetic, kinds):
    """{column: error}, missing values left out, as SDMetrics' KSComplement and TVComplement."""
    errors = {}
    for name, kind in kinds.items():
        held, made = real[name].dropna(), synthetic[name].dropna()
        if not len(made) or not len(held):
            errors[name] = 1.0
        elif kind == "numerical":
            errors[name] = float(ks_2samp(held.round(14), made.round(14), method="asymp").statistic)
        else:
            (a, b), levels = table_data.codes_of(held, made)
            errors[name] = 0.5 * float(numpy.abs(numpy.bincount(a, minlength=levels) / len(a)
                                                 - numpy.bincount(b, minlength=levels) / len(b)).sum())
    return errors


def binned(series, edges_of):
    return numpy.digitize(series, numpy.histogram_bin_edges(edges_of.dropna(), BINS))


def contingency_error(first, second):
    """Total variation of the two-way tables; each argument: (codes of real, codes of synthetic), number of levels."""
    (a, b), levels = second[0], second[1]
    size = first[1] * levels
    real, made = (numpy.bincount(x * levels + y, minlength=size) / len(x) for x, y in zip(first[0], (a, b)))
    return 0.5 * float(numpy.abs(real - made).sum())


def correlation_error(real, synthetic, pair):
    """Half the difference of Pearson's correlations; not a number where a column is constant."""
    correlations = []
    for frame in (real, synthetic):
        held = frame[list(pair)].dropna().to_numpy(float)
        if (held.max(0) == held.min(0)).any():
            return float("nan")
        correlations.append(numpy.corrcoef(held.T)[0, 1])
    return abs(correlations[0] - correlations[1]) / 2


def trend_errors(real, synthetic, kinds, own_bins=True):
    """{pair: error}, as SDMetrics' column pair trends, which bins each table by its own range."""
    codes = {}
    for name, kind in kinds.items():
        if kind == "categorical":
            codes[name] = table_data.codes_of(real[name], synthetic[name])
        else:
            edges = (real[name], synthetic[name] if own_bins else real[name])
            codes[name] = ([binned(real[name], edges[0]), binned(synthetic[name], edges[1])], BINS + 2)
    return {pair: correlation_error(real, synthetic, pair) if {kinds[name] for name in pair} == {"numerical"}
            else contingency_error(codes[pair[0]], codes[pair[1]]) for pair in itertools.combinations(kinds, 2)}


def mean_per_cent(errors):
    return round(100 * float(numpy.nanmean(list(errors.values()))), 3) if errors else None


def sdmetrics_scores(real, synthetic, kinds):
    """(shape, trend) errors in per cent by SDMetrics' own report."""
    from sdmetrics.reports.single_table import QualityReport
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0
    report.num_rows_subsample = None
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    report.generate(real, synthetic, metadata, verbose=False)
    return tuple(100 * (1 - float(score)) for score in report.get_properties()["Score"][:2])


def check_against_sdmetrics(real, synthetic, kinds, scores):
    theirs = sdmetrics_scores(real, synthetic, kinds)
    for name, value in zip(("shape", "trend"), theirs):
        if abs(scores[name] - value) > 2e-3:
            table_data.stop(f"{name}: {scores[name]} here but {value} by SDMetrics")
    print(f"table_scores: as SDMetrics: shape {theirs[0]:.4f}, trend {theirs[1]:.4f}", file=sys.stderr)


def features(kinds, *frames):
    """Frames for the trees: numbers, and categories over the levels of all frames, the rare ones together."""
    made = [{} for _ in frames]
    for name, kind in kinds.items():
        if kind == "numerical":
            columns = [frame[name].to_numpy(float) for frame in frames]
        else:
            columns, levels = table_data.codes_of(*(frame[name] for frame in frames))
            if levels > MOST_LEVELS:
                order = numpy.argsort(-numpy.bincount(numpy.concatenate(columns), minlength=levels), kind="stable")
                rank = numpy.empty(levels, int)
                rank[order] = numpy.arange(levels)
                columns = [numpy.minimum(rank[column], MOST_LEVELS) for column in columns]
            columns = [pandas.Categorical(column, categories=range(min(levels, MOST_LEVELS + 1))) for column in columns]
        for index, column in enumerate(columns):
            made[index][name] = column
    return [pandas.DataFrame(columns) for columns in made]


def trees(kind, seed):
    estimator = HistGradientBoostingClassifier if kind == "categorical" else HistGradientBoostingRegressor
    return estimator(max_iter=300, learning_rate=0.1, early_stopping=True, n_iter_no_change=10,
                     categorical_features="from_dtype", random_state=seed)


def some(frame, count, random):
    return frame.iloc[random.permutation(len(frame))[:count]]


def detection(real, synthetic, kinds, random, seed, folds=5):
    """(AUC, its standard error over folds)."""
    count = min(len(real), len(synthetic))
    parts = features(kinds, some(real, count, random), some(synthetic, count, random))
    rows, labels = pandas.concat(parts, ignore_index=True), numpy.repeat([1, 0], count)
    found = []
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, labels):
        model = trees("categorical", seed).fit(rows.iloc[train], labels[train])
        found.append(roc_auc_score(labels[test], model.predict_proba(rows.iloc[test])[:, 1]))
    return round(float(numpy.mean(found)), 4), round(float(numpy.std(found, ddof=1) / folds**0.5), 4)


def logistic(real, synthetic, kinds, seed):
    """SDMetrics' score, or why there is none; it gives levels that the real table lacks no place."""
    from sdmetrics.single_table import LogisticDetection
    numpy.random.seed(seed)  # its folds are shuffled by the global generator
    try:
        metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
        return round(float(LogisticDetection.compute(real.copy(), synthetic.copy(), metadata)), 4)
    except Exception as error:  # noqa: BLE001 (whatever it refuses is the result)
        return f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"


def utility_of(training, test, target, kinds, seeds=3):
    inputs = {name: kind for name, kind in kinds.items() if name != target}
    rows, asked = features(inputs, training, test)
    if kinds[target] == "numerical":
        models = [trees("numerical", seed).fit(rows, training[target]) for seed in range(seeds)]
        return round(float(numpy.mean([r2_score(test[target], model.predict(asked)) for model in models])), 4)
    (labels, truth), _ = table_data.codes_of(training[target], test[target])
    classes = numpy.unique(truth)
    if not set(classes) <= set(labels):
        return None  # a class that is never made cannot be told
    found = []
    for seed in range(seeds):
        model = trees("categorical", seed).fit(rows, labels)
        chances = model.predict_proba(asked)[:, numpy.isin(model.classes_, classes)]
        chances = chances / chances.sum(1, keepdims=True)
        found.append(roc_auc_score(truth, chances[:, 1] if len(classes) == 2 else chances, multi_class="ovr"))
    return round(float(numpy.mean(found)), 4)


def coordinates(kinds, scale_by, *frames):
    """Per frame: numbers over the range of `scale_by`, and one column per level, as TabSyn's distance."""
    numbers, levels = [[] for _ in frames], [[] for _ in frames]
    for name, kind in kinds.items():
        columns = [frame[name] for frame in frames]
        if kind == "numerical":
            held = scale_by[name]
            for index, column in enumerate(columns):
                numbers[index].append(column.fillna(held.median()).to_numpy(float) / ((held.max() - held.min()) or 1))
            if not any(column.isna().any() for column in columns):
                continue
            columns = [column.isna() for column in columns]
        codes, count = table_data.codes_of(*columns)
        for index, code in enumerate(codes):
            levels[index].append(numpy.eye(count, dtype=numpy.float32)[code])
    return [(numpy.stack(n, 1) if n else numpy.zeros((len(f), 1)),
             numpy.concatenate(one, 1) if one else numpy.zeros((len(f), 1), numpy.float32), len(one))
            for f, n, one in zip(frames, numbers, levels)]


def nearest(points, data, chunks, batch=500):
    """Least distance of each point to each chunk of the data: an array (points, chunks)."""
    edges = numpy.linspace(0, len(data[0]), chunks + 1).astype(int)[:-1]
    found = []
    for start in range(0, len(points[0]), batch):
        part = slice(start, start + batch)
        distance = cdist(points[0][part], data[0], "cityblock") + 2 * (points[2] - points[1][part] @ data[1].T)
        found.append(numpy.minimum.reduceat(distance, edges, axis=1))
    return numpy.concatenate(found)


def closest_records(real, synthetic, test, kinds, random, rows=5000):
    """The share nearer to training rows than to as many test rows, over disjoint parts of the training rows."""
    made = some(synthetic, rows, random)
    chunks = max(1, round(len(real) / len(test)))
    held = some(real, len(real), random)
    test = some(test, len(real) // chunks, random)
    parts = coordinates(kinds, real, made, held, test)
    to_train, to_test = nearest(parts[0], parts[1], chunks), nearest(parts[0], parts[2], 1)
    # Sums of numbers in another order differ by rounding.
    nearer, tied = to_train < to_test - 1e-6, numpy.abs(to_train - to_test) <= 1e-6
    return {"dcr": round(float((nearer + 0.5 * tied).mean()), 4),
            "dcr_all": round(float((to_train.min(1) < to_test[:, 0] - 1e-6).mean()), 4),
            "dcr_all_expected": round(len(real) / (len(real) + len(test)), 4)}


def print_details(shapes, trends, impossible):
    for name, error in sorted(shapes.items(), key=lambda item: -item[1]):
        print(f"  shape {100 * error:6.2f}  {name}", file=sys.stderr)
    for pair, error in sorted(trends.items(), key=lambda item: -item[1])[:15]:
        print(f"  trend {100 * error:6.2f}  {pair[0]} x {pair[1]}", file=sys.stderr)
    for name, count in impossible.items():
        print(f"  impossible {count}  {name}", file=sys.stderr)


def scores_of(arguments):
    real = table_data.Table(arguments.real)
    columns = list(real.values.columns)
    synthetic = table_data.Table(arguments.synthetic, columns)
    test = table_data.Table(arguments.test, columns).values if arguments.test else None
    kinds = table_data.kinds_of(real.values, arguments.kinds)
    for table in (real, synthetic):
        table_data.check_numbers(table, kinds)
    held, made, seed = real.values, synthetic.values, arguments.seed
    random = numpy.random.default_rng(seed)
    shapes, trends = shape_errors(held, made, kinds), trend_errors(held, made, kinds)
    impossible, places = table_data.impossible_cells(real, synthetic, kinds)
    result = {"rows": len(made), "real_rows": len(held), "shape": mean_per_cent(shapes), "trend": mean_per_cent(trends),
              "trend_real_bins": mean_per_cent(trend_errors(held, made, kinds, own_bins=False))}
    if arguments.check:
        check_against_sdmetrics(held, made, kinds, result)
    if not arguments.quick:
        result["detection"], result["detection_se"] = detection(held, made, kinds, random, seed)
        result["logistic"] = logistic(held, made, kinds, seed)
    if test is not None and not arguments.quick:
        target = arguments.target or table_data.target_of(columns)
        result["utility"], result["utility_real"] = (utility_of(rows, test, target, kinds) for rows in (made, held))
        result.update(closest_records(held, made, test, kinds, random))
        result["heldout"] = {"shape": mean_per_cent(shape_errors(held, test, kinds)),
                             "trend": mean_per_cent(trend_errors(held, test, kinds)),
                             "detection": detection(held, test, kinds, random, seed)[0]}
    result.update(table_data.copies(held, made, test), impossible=impossible, columns_reordered=synthetic.reordered)
    if arguments.details:
        print_details(shapes, trends, places)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--real", "--synthetic"):
        parser.add_argument(name, required=True)
    parser.add_argument("--test")
    parser.add_argument("--target")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seed", type=int, default=0)
    for name in ("--quick", "--details", "--check"):
        parser.add_argument(name, action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    start = time.time()
    result = scores_of(arguments)
    print(json.dumps({**result, "seconds": round(time.time() - start, 1)}))


if __name__ == "__main__":
    main()
