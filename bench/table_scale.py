"""Writes a table of many rows or many columns, of every kind, for measures of memory and time.

    python3 bench/table_scale.py --rows 1000000 --columns 15 --levels 10000 --out long.csv
    python3 bench/table_scale.py --rows 5000 --columns 1000 --out wide.csv
    /usr/bin/time -v build/release/cli/fokker train --data long.csv --out run --steps 50 --threads 1

Each row has three hidden normal numbers, of which its columns are noisy functions, so that they depend on one another.
Kinds take turns: real, integer, category of 3, 12 and 60 levels, real with zeros, date, integer of many values, category
with missing cells, real of two decimals. With --levels N the last column is a category of N levels instead, frequent ones
first. Only Python's own library is needed.
"""
import argparse
import datetime
import math
import random

DAY = datetime.date(2000, 1, 1)


def level(u, count):
    """A level of `count`, the first ones more often."""
    return min(count - 1, int(count * u * u))


def column_makers(columns, levels):
    kinds = [
        ("real", lambda z, u: f"{z + 0.5 * (u - 0.5)!r}"),
        ("whole", lambda z, u: f"{max(0, round(6 + 2 * z + 2 * u))}"),
        ("pick3", lambda z, u: "abc"[level(phi(z + u - 0.5), 3)]),
        ("pick12", lambda z, u: f"k{level(phi(z + u - 0.5), 12)}"),
        ("zeros", lambda z, u: "0" if u < 0.6 else f"{math.exp(z + u):.4f}"),
        ("day", lambda z, u: f"{DAY + datetime.timedelta(days=int(9000 * phi(z + u - 0.5)))}"),
        ("many", lambda z, u: f"{round(50000 * math.exp(z + u))}"),
        ("pick60", lambda z, u: f"m{level(phi(z + u - 0.5), 60)}"),
        ("gaps", lambda z, u: "" if u < 0.1 else f"g{level(phi(z + u - 0.5), 5)}"),
        ("money", lambda z, u: f"{10 * math.exp(z + 0.3 * u):.2f}"),
    ]
    made = []
    for j in range(columns):
        name, make = kinds[j % len(kinds)]
        if levels and j == columns - 1:
            name, make = "levels", lambda z, u: f"L{level(phi(0.5 * z + 2 * (u - 0.5)), levels)}"
        made.append((f"{name}{j}", make))
    return made


def phi(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--columns", type=int, required=True)
    parser.add_argument("--levels", type=int, default=0, help="levels of the last column; 0 leaves its usual kind")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    makers = column_makers(options.columns, options.levels)
    draw = random.Random(1)
    with open(options.out, "w", encoding="utf-8") as out:
        out.write(",".join(name for name, _ in makers) + "\n")
        for _ in range(options.rows):
            hidden = [draw.gauss(0, 1) for _ in range(3)]
            out.write(",".join(make(hidden[j % 3], draw.random()) for j, (_, make) in enumerate(makers)) + "\n")


if __name__ == "__main__":
    main()
