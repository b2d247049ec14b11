"""Which tests are concerned by a source, the closest first: read from includes and from what would be linked."""
import re
import subprocess
from collections import deque
from functools import cached_property
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
SUITE = re.compile(r"^TEST(?:_[FP])?\((\w+)", re.M)


class Tests:
    """The test files of a checkout: tests/<program>/**/*_test.cpp."""

    def __init__(self, root):
        self.root = Path(root)
        self._includes = {}

    def includes(self, file):
        if file not in self._includes:
            self._includes[file] = INCLUDE.findall((self.root / file).read_text())
        return self._includes[file]

    @cached_property
    def programs(self):
        found = {}
        for path in sorted(self.root.glob("tests/*/**/*_test.cpp")):
            file = path.relative_to(self.root)
            found.setdefault(file.parts[1], []).append(str(file))
        return found

    def libraries(self, program):
        """The libraries beside the core that the program's tests use: theirs are what it needs of the core."""
        used = {include.split("/")[1] for file in self.programs[program] for include in self.includes(file)
                if include.startswith("fokker/")}
        if used & {"course", "report"}:
            return ["fokker/libfokker_course.a", "fokker/libfokker_plot.a"]
        return ["fokker/libfokker_plot.a"] if "plot" in used else []

    def suites(self, program, files=None):
        files = self.programs[program] if files is None else files
        return sorted({s for file in files for s in SUITE.findall((self.root / file).read_text())})

    def near(self, program, source):
        """Suites of the test files named after the source, or that include its own header."""
        stem, folder = Path(source).stem, str(Path(source).parent)
        own = [h for h in self.includes(source) if str(Path(h).parent) == folder][:1]
        return self.suites(program, [file for file in self.programs[program]
                                     if Path(file).name.startswith(stem) or set(own) & set(self.includes(file))])


class Linkage:
    """How far each source of the library is from a program, in references from object to object."""

    def __init__(self, library, programs):
        """library: source -> object; programs: program -> its objects and archives."""
        defined, self.needs = {}, {}
        for source, symbols in self._symbols(library.items()).items():
            self.needs[source] = symbols["U"]
            for symbol in symbols["T"]:
                defined.setdefault(symbol, source)
        self.defined = defined
        pairs = [(program, path) for program, paths in programs.items() for path in paths]
        self.starts = {program: symbols["U"] for program, symbols in self._symbols(pairs).items()}

    @staticmethod
    def _symbols(named_objects):
        name_of = {str(path): name for name, path in named_objects}
        found = {name: {"U": set(), "T": set()} for name in name_of.values()}
        if name_of:
            text = subprocess.run(["nm", "-A", "-g", *name_of], capture_output=True, text=True).stdout
            for line in text.splitlines():
                path, rest = line.rsplit(":", 1)
                path = path.split(".a:")[0] + ".a" if ".a:" in path else path
                if not rest.strip():
                    continue
                kind, symbol = rest[17:].split(" ", 1)
                # A class without other functions than virtual ones is known by its table alone, which may be weak.
                if kind in "UTDBR" or (kind == "V" and symbol.startswith("_ZTV")):
                    found[name_of[path]]["U" if kind == "U" else "T"].add(symbol)
        return found

    def distances(self, program):
        distance, queue = {}, deque([(0, self.starts[program])])
        while queue:
            steps, symbols = queue.popleft()
            for source in {self.defined[s] for s in symbols if s in self.defined} - distance.keys():
                distance[source] = steps + 1
                queue.append((steps + 1, self.needs[source]))
        return distance


def filter_of(suites, only, excluded=()):
    """GoogleTest's filter for suites, or for all but them, without some tests."""
    patterns = [pattern for suite in suites for pattern in (f"{suite}.*", f"*/{suite}.*")]
    negative = ([] if only else patterns) + list(excluded)
    return ":".join(patterns if only else ["*"]) + ("-" + ":".join(negative) if negative else "")


def stages(source, tests, distances, near_only=False):
    """(program, suites, whether only those or all others) in the order in which they run: the folder's own program
    before the others, suites near the source before the rest, then by distance. `near_only`: of other programs only
    the suites near the source."""
    folder, result = source.split("/")[1], []
    concerned = [p for p in tests.programs if source in distances.get(p, {})]
    for program in sorted(concerned, key=lambda p: (p != folder, distances[p][source])):
        near = tests.near(program, source)
        if near:
            result.append((program, near, True))
        if len(near) < len(tests.suites(program)) and not (near_only and program != folder):
            result.append((program, near, False))
    return result
