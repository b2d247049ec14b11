"""Builds a mutant of one source into the test programs concerned, and runs them until one fails."""
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from sources import Linkage, Tests, filter_of, stages

SLOWER = 6  # times its usual processor time: a program that needs more hangs
LEAST_SECONDS = 10
UNKNOWN_SECONDS = 30  # where it was not measured yet
PLAIN_SECONDS = 900
MEMORY = 10 << 30  # bytes of address space


@dataclass
class Run:
    """How a test program ended: passed, or the test that it failed in and why."""
    passed: bool
    test: str = ""
    why: str = ""
    seconds: float = 0  # of processor time


@dataclass
class Outcome:
    status: str  # killed, survived, same code, invalid
    killer: str = ""
    why: str = ""
    seconds: float = 0


def wait_for(process, wall_seconds):
    """(exit status as of subprocess, processor seconds) of a child, which is killed when its time is over."""
    deadline = time.monotonic() + wall_seconds
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.02)


def run_test(command, folder, cpu_seconds):
    """Runs a GoogleTest program in a folder of its own within limits of processor time, memory and wall time."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds) + 1, int(cpu_seconds) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TMPDIR": str(folder)}
    with open(folder / "output", "w+", errors="replace") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, env=environment, preexec_fn=limit,
                                   start_new_session=True)
        # Where others keep the processors busy, a program waits: only one that sleeps for ever reaches this.
        code, seconds = wait_for(process, 120 + 20 * cpu_seconds)
    return verdict(code, (folder / "output").read_text(errors="replace"), seconds)


def verdict(code, text, seconds):
    if code == 0:
        return Run(True, seconds=seconds)
    failed = re.findall(r"^\[  FAILED  \] (\S+?),? ", text, re.M)
    begun = re.findall(r"^\[ RUN      \] (\S+)", text, re.M)
    if code < 0:
        name = signal.Signals(-code).name
        why = "time limit" if name in ("SIGXCPU", "SIGKILL") else f"crash ({name})"
        return Run(False, begun[-1] if begun else "", why, seconds)
    if not failed:
        return Run(False, begun[-1] if begun else "", f"ended with {code}", seconds)
    return Run(False, failed[0], "failed", seconds)


class Build:
    """Two build folders: `base` has the library file by file (a mutant's object stands before it in the link, so
    that the archive's own object of that source is not taken), `programs` has the objects of the tests."""

    def __init__(self, root, base, programs, near_only=False):
        self.root, self.base, self.programs_folder = root, base, programs
        self.tests, self.near_only = Tests(root), near_only
        self.seconds_file = base / "seconds.json"
        self.lock = threading.RLock()

    def prepare(self, names):
        """Configures and compiles what is out of date."""
        if not (self.base / "build.ninja").exists():
            self._call(["cmake", "-S", self.root, "-B", self.base, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Mutate",
                        "-DFOKKER_UNITY=OFF", "-DCMAKE_CXX_FLAGS_MUTATE=-O1 -DNDEBUG", "-DFOKKER_BUILD_TESTS=OFF",
                        "-DFOKKER_BUILD_CLI=OFF", "-DFOKKER_BUILD_PLOT=OFF"])
        self._call(["cmake", "--build", self.base, "--target", "fokker"])
        self._call(["cmake", "--preset", "release", "-DFOKKER_BUILD_TESTS=ON"])
        self._call(["cmake", "--build", self.programs_folder, "--target", *(f"test_{n}" for n in names)])

    def _call(self, command):
        done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(f"mutate: {shlex.join(map(str, command))} failed:\n{done.stdout[-4000:]}")

    def load(self, names):
        """Reads how sources compile, how programs link, and who needs whom."""
        self.compile_commands, self.objects = {}, {}
        for entry in json.loads((self.base / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            if entry["file"].startswith(str(self.root) + "/fokker/"):
                source = os.path.relpath(entry["file"], self.root)
                self.compile_commands[source] = words
                self.objects[source] = self.base / words[words.index("-o") + 1]
        self.archive = self.base / "fokker/libfokker.a"
        self.link_commands = {name: self._link_command(f"tests/test_{name}") for name in names}
        own = {name: [self.programs_folder / word for word in words if word.endswith(".o")] +
                     [self.programs_folder / archive for archive in self.tests.libraries(name)]
               for name, words in self.link_commands.items()}
        self.linkage = Linkage(self.objects, own)
        self.distances = {name: self.linkage.distances(name) for name in names}
        self.usual = json.loads(self.seconds_file.read_text()) if self.seconds_file.exists() else {}

    def _link_command(self, target):
        text = subprocess.run(["ninja", "-C", self.programs_folder, "-t", "commands", target], capture_output=True,
                              text=True, check=True).stdout.splitlines()[-1]
        return shlex.split(text.removeprefix(": && ").removesuffix(" && :"))

    def link(self, program, mutant_object, folder):
        """The program with the mutant's object (None: none) before the archive."""
        words, target = [], folder / f"test_{program}"
        for word in self.link_commands[program]:
            if word == f"tests/test_{program}":
                words += [target] + ([mutant_object] if mutant_object else [])
            elif word == "fokker/libfokker.a":
                words.append(self.archive)
            else:
                words.append(word)
        words += ["-fuse-ld=lld"] if shutil.which("ld.lld") else []
        subprocess.run(words, cwd=self.programs_folder, check=True, capture_output=True, start_new_session=True)
        return target

    def compile(self, source, text, folder):
        """The object of a changed text of a source; None where it does not compile."""
        copy = folder / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
        words, target = list(self.compile_commands[source]), folder / "mutant.o"
        words[words.index("-o") + 1] = target
        words[words.index("-c") + 1] = copy
        # Vector code includes itself once per instruction set: it must find the changed text.
        words[1:1] = [f"-I{folder}"]
        done = subprocess.run(words, cwd=self.base, capture_output=True, start_new_session=True)
        return target if done.returncode == 0 else None

    def measured(self, program):
        """What is known of the program without a mutant, forgotten when it or the library is compiled anew."""
        objects = [self.programs_folder / w for w in self.link_commands[program] if w.endswith(".o")]
        stamp = max(path.stat().st_mtime for path in [*objects, self.archive])
        with self.lock:
            known = self.usual.get(program)
            if not known or known["stamp"] != stamp:
                (self.base / "plain").mkdir(exist_ok=True)
                self.link(program, None, self.base / "plain")
                known = self.usual[program] = {"stamp": stamp, "seconds": {}, "passing": [], "excluded": []}
            return known

    def run_plain(self, program, selection, folder):
        """The program without a mutant."""
        command = [self.base / f"plain/test_{program}", f"--gtest_filter={selection}"]
        run = run_test(command, folder, PLAIN_SECONDS)
        self.note_seconds(program, selection, run.seconds)
        return run

    def note_seconds(self, program, selection, seconds):
        known = self.measured(program)["seconds"]
        with self.lock:
            known[selection] = max(seconds, known.get(selection, 0))

    def keep_measured(self):
        with self.lock:
            self.seconds_file.write_text(json.dumps(self.usual, indent=1))

    def passes_plain(self, program, test, folder):
        """Whether a test passes without a mutant: at this level of optimisation, or on this machine, it might not."""
        known = self.measured(program)
        if test not in known["passing"] + known["excluded"]:
            passed = self.run_plain(program, test, folder).passed
            with self.lock:
                known["passing" if passed else "excluded"].append(test)
        return test in known["passing"]

    def limit(self, program, selection, folder):
        """Processor seconds after which a selection of tests hangs."""
        known = self.measured(program)["seconds"]
        if selection not in known:
            self.run_plain(program, selection, folder)
        return LEAST_SECONDS + SLOWER * known[selection]

    def run_stage(self, binary, stage, folder):
        """One selection of a program's tests with a mutant, until a test fails that passes without it."""
        program, suites, only = stage
        while True:
            known = self.measured(program)
            selection = filter_of(suites, only, known["excluded"])
            command = [binary, "--gtest_fail_fast", f"--gtest_filter={selection}"]
            usual = known["seconds"].get(selection)
            run = run_test(command, folder, UNKNOWN_SECONDS if usual is None else LEAST_SECONDS + SLOWER * usual)
            if run.why == "time limit" and usual is None:
                # Not known yet whether that is long for it.
                run = run_test(command, folder, self.limit(program, selection, folder))
            if run.passed:
                self.note_seconds(program, selection, run.seconds)
                return run
            if not run.test or self.passes_plain(program, run.test, folder):
                return run

    def attempt(self, mutant, text, folder):
        """Compiles a mutant of a text and runs the programs concerned until one fails."""
        started = time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            outcome = self._attempt(mutant, mutant.apply(text), folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self.keep_measured()
        outcome.seconds = round(time.monotonic() - started, 1)
        return outcome

    def _attempt(self, mutant, text, folder):
        compiled = self.compile(mutant.file, text, folder)
        if compiled is None:
            return Outcome("invalid", why="does not compile")
        if compiled.read_bytes() == self.objects[mutant.file].read_bytes():
            return Outcome("same code", why="the compiler makes the same object of it")
        linked = {}
        for stage in stages(mutant.file, self.tests, self.distances, self.near_only):
            program = stage[0]
            if program not in linked:
                for path in linked.values():
                    path.unlink()
                self.measured(program)  # which links without the mutant
                try:
                    linked = {program: self.link(program, compiled, folder)}
                except subprocess.CalledProcessError:
                    return Outcome("invalid", why="does not link")
            run = self.run_stage(linked[program], stage, folder)
            if not run.passed:
                return Outcome("killed", f"{program}/{run.test}", run.why)
        return Outcome("survived")
