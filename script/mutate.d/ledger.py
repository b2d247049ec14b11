"""What became of each mutant: a file that a later run goes on from, the equivalent ones, the table and the score."""
import hashlib
import json
from collections import Counter
from dataclasses import asdict

# Every mutant counts in the score but those that are the program itself and those that are no program.
COUNTED = ("killed", "survived")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger:
    """One JSON object a line, appended as mutants end; the last of a mutant counts. A result holds for the text of
    the source that it was found with."""

    def __init__(self, path):
        self.path = path
        self.results = {}
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    result = json.loads(line)
                except ValueError:  # a run was killed while it wrote
                    continue
                self.results[result["key"]] = result

    def find(self, mutant, text):
        result = self.results.get(mutant.key)
        return result if result and result["text"] == digest(text) else None

    def add(self, mutant, text, outcome):
        result = {"key": mutant.key, "text": digest(text), **asdict(outcome)}
        self.results[mutant.key] = result
        with open(self.path, "a") as file:
            file.write(json.dumps(result) + "\n")
        return result


def read_equivalents(path):
    """(file, before, after) -> reason. A block is the file, "- line", "+ line" and the reason; an empty line ends it."""
    found = {}
    for block in path.read_text().split("\n\n") if path.exists() else []:
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
        if not lines:
            continue
        if len(lines) < 4 or not lines[1].startswith("- ") or not lines[2].startswith("+ "):
            raise SystemExit(f"{path}: expected FILE, '- line', '+ line' and a reason but received:\n{block}")
        found[lines[0].strip(), lines[1][2:].strip(), lines[2][2:].strip()] = " ".join(l.strip() for l in lines[3:])
    return found


def shorten(text, width):
    return text if len(text) <= width else text[:width - 3] + "..."


def changed_part(before, after, margin=12):
    """The two lines around what differs."""
    first = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))
    last = next((i for i, (a, b) in enumerate(zip(reversed(before[first:]), reversed(after[first:]))) if a != b),
                min(len(before), len(after)) - first)
    part = [line[max(0, first - margin):len(line) - max(0, last - margin)] for line in (before, after)]
    return " -> ".join(part)


def row(mutant, result):
    """A line of the table."""
    end = {"killed": f"killed by {result['killer']}" + (f", {result['why']}" if result["why"] != "failed" else ""),
           "survived": "SURVIVED", "equivalent": f"equivalent: {result['why']}"}.get(
               result["status"], f"{result['status']}: {result['why']}")
    change = shorten(changed_part(mutant.before, mutant.after), 70)
    return f"{mutant.file}:{mutant.line} | {mutant.operator} | {change} | {end} | {result['seconds']:.0f} s"


def summary(pairs):
    """Counts and scores of (mutant, result) by folder, as lines of text."""
    folders = {}
    for mutant, result in pairs:
        for name in (mutant.file.split("/")[1], "all"):
            folders.setdefault(name, Counter())[result["status"]] += 1
    if "all" not in folders:
        return ["no mutants"]
    lines = [f"{'folder':<10} {'killed':>6} {'survived':>8} {'equivalent':>10} {'invalid':>7} {'score':>7}"]
    for name in [f for f in folders if f != "all"] + ["all"]:
        count = folders[name]
        counted = sum(count[status] for status in COUNTED)
        score = f"{100 * count['killed'] / counted:.1f} %" if counted else "-"
        lines.append(f"{name:<10} {count['killed']:>6} {count['survived']:>8} "
                     f"{count['equivalent'] + count['same code']:>10} {count['invalid']:>7} {score:>7}")
    seconds = sum(result["seconds"] for _, result in pairs)
    lines.append(f"score: killed of those that are neither equivalent nor invalid; {seconds / 60:.0f} minutes in all")
    return lines
