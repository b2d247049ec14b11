"""What the programs of the tables benchmark share: reading, kinds of columns, codes, impossible cells."""
import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy
import pandas

# The numeric columns of the public benchmark's tables, whose other columns are categories, and their targets.
KNOWN = {
    "adult": (["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"], "income"),
    "shoppers": (["Administrative", "Administrative_Duration", "Informational", "Informational_Duration",
                  "ProductRelated", "ProductRelated_Duration", "BounceRates", "ExitRates", "PageValues",
                  "SpecialDay"], "Revenue"),
    "magic": (["fLength", "fWidth", "fSize", "fConc", "fConc1", "fAsym", "fM3long", "fM3Trans", "fAlpha", "fDist"],
              "class"),
}
FEW = 20  # an integer column with at most so many values is taken for categories where nothing else is known


def stop(message):
    sys.exit(f"{sys.argv[0].rsplit('/', 1)[-1]}: {message}")


class Table:
    """A CSV file twice: `values` as pandas reads it (as the public evaluations do), `texts` as written."""

    def __init__(self, path, columns=None):
        self.path = path
        self.values = pandas.read_csv(path)
        self.texts = pandas.read_csv(path, dtype=str, keep_default_na=False)
        self.reordered = False
        if columns is not None:
            if sorted(self.values.columns) != sorted(columns):
                stop(f"{path}: expected the columns {', '.join(columns)} but received {', '.join(self.values.columns)}")
            self.reordered = list(self.values.columns) != list(columns)
            self.values, self.texts = self.values[columns], self.texts[columns]

    def __len__(self):
        return len(self.values)


def known_table(columns):
    """(numeric columns, target) of the benchmark's table with these columns, or None."""
    for numeric, target in KNOWN.values():
        if set(numeric) | {target} <= set(columns) and all(name in columns for name in numeric):
            return numeric, target
    return None


def target_of(columns):
    """The column that the others predict: the benchmark's, else the last."""
    known = known_table(columns)
    return known[1] if known else list(columns)[-1]


def guess(series):
    if not pandas.api.types.is_numeric_dtype(series) or pandas.api.types.is_bool_dtype(series):
        return "categorical"
    held = series.dropna()
    return "categorical" if (held % 1 == 0).all() and held.nunique() <= FEW else "numerical"


def kinds_of(frame, overrides=""):
    """{column: numerical or categorical}: the benchmark's where it knows the table, else guessed; then overruled."""
    known = known_table(frame.columns)
    if known:
        kinds = {name: "numerical" if name in known[0] else "categorical" for name in frame.columns}
    else:
        kinds = {name: guess(frame[name]) for name in frame.columns}
    for item in filter(None, overrides.split(",")):
        name, _, kind = item.rpartition("=")
        if name not in kinds or kind not in ("numerical", "categorical"):
            stop(f"--kinds: expected COLUMN=numerical or COLUMN=categorical but received {item}")
        kinds[name] = kind
    return kinds


def check_numbers(table, kinds):
    for name, kind in kinds.items():
        if kind == "numerical" and not pandas.api.types.is_numeric_dtype(table.values[name]):
            number = pandas.to_numeric(table.values[name], errors="coerce")
            row = int(numpy.argmax(number.isna() & table.values[name].notna()))
            stop(f"{table.path}: column {name}, row {row + 1}: expected a number but received "
                 f"{table.texts[name][row]!r}")


def codes_of(*columns):
    """Integer codes of the values of several columns over the levels of all; a missing value is a level."""
    keys = [pandas.Series(column).reset_index(drop=True) for column in columns]
    if len({key.dtype for key in keys}) > 1 and not all(pandas.api.types.is_numeric_dtype(key) for key in keys):
        keys = [key.where(key.isna(), key.astype(str)) for key in keys]
    codes, levels = pandas.factorize(pandas.concat(keys), use_na_sentinel=False)
    ends = numpy.cumsum([len(key) for key in keys])[:-1]
    return numpy.split(codes, ends), len(levels)


def row_keys(real, *others):
    """64-bit hashes of rows, the same for rows of the same values, one array per frame."""
    totals = [numpy.zeros(len(frame), numpy.uint64) for frame in (real, *others)]
    multiplier = numpy.uint64(0x9E3779B97F4A7C15)
    for name in real.columns:
        codes, _ = codes_of(*(frame[name] for frame in (real, *others)))
        totals = [pandas.util.hash_array(total * multiplier + code.astype(numpy.uint64) + numpy.uint64(1))
                  for total, code in zip(totals, codes)]
    return totals


def copies(real, synthetic, test):
    """Counts of rows that equal a training row."""
    others = [synthetic] if test is None else [synthetic, test]
    keys = row_keys(real, *others)
    found = [int(numpy.isin(key, keys[0]).sum()) for key in keys[1:]]
    result = {"copies": found[0], "copies_per_cent": round(100 * found[0] / len(synthetic), 3)}
    if test is not None:
        result.update(heldout_copies=found[1], heldout_copies_per_cent=round(100 * found[1] / len(test), 3))
    return result


def decimals(texts):
    """Digits after the point of each number as written; of 1e-05, five."""
    parts = texts.str.strip().str.lower().str.extract(r"^[+-]?\d*(?:\.(\d*))?(?:e([+-]?\d+))?$")
    return (parts[0].fillna("").str.len() - pandas.to_numeric(parts[1]).fillna(0)).clip(lower=0)


def impossible_cells(real, synthetic, kinds):
    """Counts of cells that no user of the table would take for real, by what is wrong, and {column: count}."""
    counts = dict.fromkeys(["unseen_levels", "out_of_range", "fractions", "missing"], 0)
    columns, longer = {}, 0
    for name, kind in kinds.items():
        held, made = real.values[name], synthetic.values[name]
        missing = 0 if held.isna().any() else int(made.isna().sum())
        found = {"missing": missing}
        if kind == "categorical":
            seen = synthetic.texts[name].isin(set(real.texts[name]))
            found["unseen_levels"] = int((~seen).sum()) - missing
        else:
            found["out_of_range"] = int(((made < held.min()) | (made > held.max())).sum())
            if (held.dropna() % 1 == 0).all():
                found["fractions"] = int((made.dropna() % 1 != 0).sum())
            longer += int((decimals(synthetic.texts[name]) > decimals(real.texts[name]).max()).sum())
        for what, count in found.items():
            counts[what] += count
        if sum(found.values()):
            columns[name] = sum(found.values())
    # More decimals than the data are not impossible, yet give a made table away.
    return {"total": sum(counts.values()), **counts, "more_decimals": longer}, columns
