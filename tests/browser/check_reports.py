#!/usr/bin/env python3
"""Trains tiny runs with the command given and checks their reports, and a page of the gallery, in a browser:

  check_reports.py FOKKER

points in the plane from a known law, a table whose column names and file name are hostile, one column, and images.
"""
import csv
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_pages
from webdriver import Browser, require_browser

HOSTILE = ["<script>document.title='owned'</script>", "a \"quoted\" & 'single'",
           "two\nlines</style><img src=x onerror=\"document.title='owned'\">", "L" + "o" * 9998 + "ng"]
LARGEST_PAGE = 5_000_000


def write_table(file, names, rows):
    source = random.Random(0)
    with open(file, "w", newline="") as out:
        table = csv.writer(out)
        table.writerow(names)
        for _ in range(rows):
            shared = source.gauss(0, 1)
            table.writerow([shared + source.gauss(0, 1) * (i + 1) for i in range(len(names))])


def write_images(file, count, side):
    """Squares at random places, as IDX."""
    source = random.Random(0)
    with open(file, "wb") as out:
        out.write(b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (count, side, side)))
        for _ in range(count):
            x, y = source.randrange(side // 2), source.randrange(side // 2)
            out.write(bytes(255 if x <= i % side < x + side // 2 and y <= i // side < y + side // 2 else 0
                            for i in range(side * side)))


def train(command, run, data, *options):
    subprocess.run([command, "train", "--data", data, "--out", run, "--quiet", "--threads", "2", *options], check=True)
    return os.path.join(run, "report.html")


def check_harmless(browser):
    """Hostile names stand in the page as text, and nothing of them ran."""
    problems = []
    if browser.run("return document.title").startswith("owned"):
        problems.append("a column name ran as a script")
    if HOSTILE[0] not in browser.run("return document.body.textContent"):
        problems.append("a hostile column name is not shown as it is")
    if browser.run("return document.querySelectorAll('img[src=x]').length"):
        problems.append("a column name became an element")
    return problems


def check_gallery(browser, command):
    """A figure and an animation, with their page."""
    subprocess.run([command, "gallery", "--out", "gallery", "s0.example", "s3.score", "--quiet"], check=True)
    problems = check_pages.check_page(browser, os.path.abspath("gallery/index.html"))
    shown = len(browser.find("figure img"))
    return problems + ([] if shown == 2 else [f"expected 2 pictures but received {shown}"])


def main():
    require_browser()
    command = os.path.abspath(sys.argv[1])
    bad = 0
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        os.chdir(folder)
        hostile = "<b>\"data' & more.csv"
        write_table(hostile, HOSTILE, 300)
        write_table("line.csv", ["x"], 300)
        write_images("squares-ubyte", 60, 16)
        small = ("--width", "32", "--depth", "2", "--steps", "60")
        pages = {"plane": train(command, "plane", "target:two-modes", "--rows", "1000", *small),
                 "hostile": train(command, "hostile", hostile, *small),
                 "line": train(command, "line", "line.csv", "--process", "edm", *small),
                 "images": train(command, "images", "squares-ubyte", "--channels", "8", "--steps", "12")}
        for name, page in pages.items():
            problems = check_pages.check_page(browser, page)
            if len(browser.find(".player")) != 1:
                problems.append("expected one player")
            if name == "hostile":
                problems += check_harmless(browser)
            if os.path.getsize(page) > LARGEST_PAGE:
                problems.append(f"expected at most {LARGEST_PAGE} bytes but it has {os.path.getsize(page)}")
            print(f"{name}: {'good' if not problems else 'BAD'}")
            for problem in problems:
                print(f"  {problem}")
            bad += bool(problems)
        problems = check_gallery(browser, command)
        print(f"gallery: {'good' if not problems else problems}")
    return 1 if bad or problems else 0


if __name__ == "__main__":
    sys.exit(main())
