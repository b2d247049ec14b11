"""Checks of the script: operators on small texts, the sample, the bookkeeping, and a toy library compiled and run."""
import contextlib
import io
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

from ledger import Ledger, changed_part, read_equivalents, summary
from operators import masked, mutants
import programs
from programs import Build, Outcome, verdict
from sources import Linkage, filter_of


def changes(line, operator=None):
    """What the operators make of one line."""
    return sorted(m.after for m in mutants("fokker/toy/toy.cpp", line) if operator in (None, m.operator))


def check_operators():
    cases = [
        ("x = a + b;", "sign", ["x = a - b;"]),
        ("x -= -y;", "sign", ["x += -y;", "x -= y;"]),
        ("  ++step_;", "sign", ["--step_;"]),
        ("x = a * b;", "factor", ["x = a * 0.9 * b;", "x = a / b;"]),
        ("x = std::sqrt(2 * h);", "factor", ["x = (2 * h);", "x = std::sqrt(2 * 0.9 * h);", "x = std::sqrt(2 / h);"]),
        ("y = x.square();", "factor", ["y = x;"]),
        ("m = std::min(a, std::cos(b));", "function", ["m = std::max(a, std::cos(b));", "m = std::min(a, std::sin(b));"]),
        ("if (a < b && !done) {", "comparison", ["if (a <= b && !done) {", "if (a >= b && !done) {"]),
        ("if (a < b && !done) {", "logic", ["if (a < b && done) {", "if (a < b || !done) {"]),
        ("return (1 + n);", "constant", ["return (0 + n);", "return (2 + n);"]),
        ("x = 0.5;", "constant", ["x = 0.45;", "x = 1.0;"]),
        ("x = 1'000u;", "constant", ["x = 1001u;", "x = 999u;"]),
        ("x = 2e-3f;", "constant", ["x = 0.0018000000000000002f;", "x = 0.004f;"]),
        ("p = process.posterior(s, t);", "swap", ["p = process.posterior(t, s);"]),
        ("m = at::hypot(s, t);", "swap", []),
    ]
    for line, operator, expected in cases:
        assert changes(line, operator) == sorted(expected), (line, operator, changes(line, operator))


def check_what_is_left():
    for line in ["// a + 1", "/* 1 */", "#define N 3", 'fail("1 + 2");', "static_assert(n + 1 < 2);",
                 "std::array<double, 7> nodes;", "template <int64_t N>", "c = '1';", "std::vector<std::pair<int, int>> x;",
                 'R"(1 + 2)";', "double* x;", "f(T&& x);"]:
        assert changes(line) == [], (line, changes(line))
    assert changes("constexpr int64_t block_size = 16;") == []
    assert changes("constexpr int64_t most_steps = 16;") != []
    text = 'a = 1;  // 2\n#if 3 \\\n  4\n"5\\"6"\nb = 7;\n'
    assert len(masked(text)) == len(text) and masked(text).count("\n") == text.count("\n")
    assert [m.line for m in mutants("f.cpp", text)] == [1, 1, 5, 5]


def check_places():
    text = "a = 1;\nb = 2 * 2;\nb = 2 * 2;\n"
    found = mutants("f.cpp", text)
    assert len({m.key for m in found}) == len(found), "every mutant has a name of its own"
    for m in found:
        lines = m.apply(text).split("\n")
        assert lines[m.line - 1] == m.after and sum(a != b for a, b in zip(lines, text.split("\n"))) == 1
    later = mutants("f.cpp", "// new\n" + text)
    assert [m.rank(7) for m in later] == [m.rank(7) for m in found], "an edit elsewhere keeps the sample"
    assert [m.rank(8) for m in found] != [m.rank(7) for m in found]
    assert changed_part("return 1 + n;", "return 2 + n;", 2) == "n 1 + -> n 2 +"


def check_bookkeeping(folder):
    text = "x = a + 1;\n"
    add, one = mutants("fokker/toy/toy.cpp", text)[:2]
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.add(add, text, Outcome("survived", seconds=2))
    ledger.add(add, text, Outcome("killed", "toy/Toy.Adds", "failed", 3))
    with open(ledger.path, "a") as file:
        file.write('{"key": "cut off')
    again = Ledger(ledger.path)
    assert again.find(add, text)["killer"] == "toy/Toy.Adds", "the last result counts"
    assert again.find(add, text + "// edited") is None, "another text is tried anew"
    assert again.find(one, text) is None
    listed = folder / "equivalent.txt"
    listed.write_text("# why\n\nfokker/toy/toy.cpp\n- x = a + 1;\n+ x = a + 0;\nnobody reads x,\nand so it is\n")
    assert read_equivalents(listed) == {("fokker/toy/toy.cpp", "x = a + 1;", "x = a + 0;"):
                                        "nobody reads x, and so it is"}
    states = ["killed", "killed", "killed", "survived", "equivalent", "same code", "invalid"]
    lines = summary([(add, {"status": status, "seconds": 60}) for status in states])
    assert lines[-2].split() == ["all", "3", "1", "2", "1", "75.0", "%"], lines
    assert filter_of(["A"], True) == "A.*:*/A.*" and filter_of(["A"], False, ["B.c"]) == "*-A.*:*/A.*:B.c"


def check_verdicts():
    assert verdict(0, "", 1).passed
    failed = verdict(1, "[ RUN      ] A.b\n[  FAILED  ] A.b (3 ms)\n", 1)
    assert (failed.test, failed.why) == ("A.b", "failed")
    crashed = verdict(-11, "[ RUN      ] A.b\n[       OK ] A.b\n[ RUN      ] A.c\n", 1)
    assert (crashed.test, crashed.why) == ("A.c", "crash (SIGSEGV)")
    assert verdict(-24, "[ RUN      ] A.c\n", 1).why == "time limit"


TOY = """int untested(int n) { return n + 1; }
int factorial(int n) {
  int product = 1;
  for (int i = 1; i != n + 1; ++i) product = product * i;
  return product;
}
"""
TOY_TEST = """#include <cstdio>
#include <cstring>
int factorial(int n);
int failed(const char* test) {
  std::printf("[ RUN      ] %s\\n[  FAILED  ] %s (0 ms)\\n", test, test);
  return 1;
}
int main(int count, char** arguments) {
  const char* filter = arguments[count - 1];
  if (!std::strstr(filter, "-Toy.Never") && !std::strstr(filter, "Toy.Factorial")) return failed("Toy.Never");
  return factorial(4) == 24 ? 0 : failed("Toy.Factorial");
}
#if 0  // as the suites of a program are found
TEST(Toy, Factorial) {}
#endif
"""


class ToyBuild(Build):
    """One source and one program, compiled by hand."""

    def prepare(self, names):
        (self.root / "fokker/toy").mkdir(parents=True)
        (self.root / "tests/toy").mkdir(parents=True)
        (self.base / "fokker").mkdir(parents=True)
        (self.root / "fokker/toy/toy.cpp").write_text(TOY)
        (self.root / "tests/toy/toy_test.cpp").write_text(TOY_TEST)
        compile_toy = f"c++ -O1 -o toy.o -c {self.root}/fokker/toy/toy.cpp"
        (self.base / "compile_commands.json").write_text(json.dumps(
            [{"command": compile_toy, "file": f"{self.root}/fokker/toy/toy.cpp"}]))
        for command in (compile_toy, f"c++ -O1 -o toy_test.o -c {self.root}/tests/toy/toy_test.cpp",
                        "ar rcs fokker/libfokker.a toy.o"):
            self._call(["sh", "-c", f"cd {self.base} && {command}"])

    def _link_command(self, target):
        return ["c++", "toy_test.o", "-o", target, "fokker/libfokker.a"]


def check_a_toy_library(folder):
    build = ToyBuild(folder / "toy", folder / "toy/build", folder / "toy/build")
    build.prepare(["toy"])
    build.load(["toy"])
    assert build.linkage.distances("toy") == {"fokker/toy/toy.cpp": 1}
    programs.LEAST_SECONDS = programs.UNKNOWN_SECONDS = 0
    expected = {
        "int product = 2;": ("killed", "failed"),
        "for (int i = 1; i != n - 1; ++i) product = product * i;": ("killed", "failed"),
        "for (int i = 0; i != n + 1; ++i) product = product * i;": ("killed", "failed"),
        "for (int i = 2; i != n + 1; ++i) product = product * i;": ("survived", ""),
        "for (int i = 1; i == n + 1; ++i) product = product * i;": ("killed", "failed"),
        "int untested(int n) { return n - 1; }": ("survived", ""),
    }
    for mutant in mutants("fokker/toy/toy.cpp", TOY):
        if mutant.after in expected:
            outcome = build.attempt(mutant, TOY, folder / "toy/work")
            assert (outcome.status, outcome.why) == expected.pop(mutant.after), (mutant.after, outcome)
            assert outcome.killer == ("toy/Toy.Factorial" if outcome.status == "killed" else "")
    assert not expected
    assert build.usual["toy"]["excluded"] == ["Toy.Never"], "what fails without a mutant kills none"
    # A loop that does not end, a text that is no program, and one that compiles to the same.
    (toy,) = [m for m in mutants("fokker/toy/toy.cpp", TOY) if m.after == "int product = 2;"]
    by_hand = SimpleNamespace(file=toy.file, apply=lambda text: text)
    hang = build.attempt(by_hand, TOY.replace("++i", "i += 0"), folder / "toy/work")
    assert (hang.status, hang.why) == ("killed", "time limit"), hang
    assert build.attempt(by_hand, TOY + "}", folder / "toy/work").status == "invalid"
    assert build.attempt(by_hand, TOY.replace("1 + n", "n + 1"), folder / "toy/work").status == "same code"
    assert (folder / "toy/fokker/toy/toy.cpp").read_text() == TOY, "the tree is as it was"
    assert not (folder / "toy/work").exists()


def self_test():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        check_operators()
        check_what_is_left()
        check_places()
        check_bookkeeping(folder)
        check_verdicts()
        check_a_toy_library(folder)
    print("mutate: the self-test passed")
    return 0
