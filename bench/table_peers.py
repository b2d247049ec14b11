#!/usr/bin/env python3
"""Trains generators of tables for given minutes, samples as many rows as they were trained on, and scores them.

usage: build/peers/bin/python bench/table_peers.py --train TRAIN.csv --test HELDOUT.csv [--minutes 10] [--threads 2]
       [--clock wall|processor] [--peers ctgan,tvae] [--out FOLDER] [--kinds COLUMN=numerical,...]
       [--target COLUMN] [--seed 0]

Peers: CTGAN and TVAE (Xu et al., 2019; PyPI ctgan) with their own defaults, but for as many epochs as end within the
minutes, of which preparing the data is a part; on the processor. Categories are given as written; rows with missing
numbers, which these peers refuse, are left out (14 of shoppers). One line of JSON per
peer: epochs, seconds of training and of sampling, peak memory of both, processor, and the figures of
bench/table_scores.py. With --out, the samples stay there.

--clock processor counts the process's own time divided by the threads, for a machine that others use.
Needs script/peers --tables-training. Each peer has a process of its own, so that its memory is its own.
"""
import argparse
import importlib
import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = {"ctgan": ("ctgan.synthesizers.ctgan", "CTGAN"), "tvae": ("ctgan.synthesizers.tvae", "TVAE")}


class UntilDeadline:
    """Stands in for tqdm around a peer's loop over epochs, which has no time limit of its own.

    Begins no epoch that, at the pace of the last, would end after the deadline, but always the first.
    """

    def __init__(self, clock, deadline):
        self.clock, self.deadline, self.epochs = clock, deadline, 0

    def __call__(self, iterable, **settings):
        last = None
        for item in iterable:
            now = self.clock()
            if last is not None and now + (now - last) > self.deadline:
                return
            last = now
            self.epochs += 1
            yield item


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"


def train_and_sample(arguments):
    """In a process of its own: writes the sample, prints what it took."""
    import table_data  # sets the threads to one where OMP_NUM_THREADS says nothing
    import numpy
    import torch

    start = time.monotonic()
    clock = time.monotonic if arguments.clock == "wall" else lambda: time.process_time() / arguments.threads
    begin = clock()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    numpy.random.seed(arguments.seed)
    table = table_data.Table(arguments.train)
    kinds = table_data.kinds_of(table.values, arguments.kinds)
    categories = [name for name, kind in kinds.items() if kind == "categorical"]
    data = table.values.assign(**{name: table.texts[name] for name in categories}).dropna().reset_index(drop=True)
    integers = [name for name in kinds if name not in categories and (data[name] % 1 == 0).all()]
    data = data.astype(dict.fromkeys(integers, "int64"))  # peers write integers where they are given such
    module_name, name = PEERS[arguments.child]
    module = importlib.import_module(module_name)
    module.tqdm = UntilDeadline(clock, begin + 60 * arguments.minutes)
    model = getattr(module, name)(epochs=10**9, enable_gpu=False)
    model.fit(data, categories)
    trained, used = time.monotonic(), time.process_time()
    model.sample(len(table)).to_csv(arguments.out, index=False)
    print(json.dumps({"peer": arguments.child, "version": importlib.metadata.version("ctgan"),
                      "torch": torch.__version__,
                      "epochs": module.tqdm.epochs, "threads": arguments.threads,
                      "training_seconds": round(trained - start, 1), "training_cpu_seconds": round(used, 1),
                      "sampling_seconds": round(time.monotonic() - trained, 1),
                      "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                      "processor": processor()}))


def answer_of(command, threads):
    """The last line that a program prints, as JSON."""
    settings = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                    OMP_WAIT_POLICY="passive")
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=settings)
    if done.returncode:
        sys.exit(f"table_peers: {' '.join(command)}: exit {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def run(peer, arguments, folder):
    sample = f"{folder}/{peer}.csv"
    shared = ["--kinds", arguments.kinds, "--seed", str(arguments.seed)]
    made = answer_of([f"{HERE}/table_peers.py", "--child", peer, "--train", arguments.train, "--out", sample,
                      "--minutes", str(arguments.minutes), "--threads", str(arguments.threads), "--clock",
                      arguments.clock, *shared],
                     arguments.threads)
    scores = [f"{HERE}/table_scores.py", "--real", arguments.train, "--synthetic", sample, *shared]
    scores += ["--test", arguments.test] if arguments.test else []
    scores += ["--target", arguments.target] if arguments.target else []
    return {**made, **answer_of(scores, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    for name in ("--test", "--target", "--out"):
        parser.add_argument(name)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    unknown = set(arguments.peers.split(",")) - set(PEERS)
    if unknown:
        parser.error(f"--peers: expected some of {', '.join(PEERS)} but received {', '.join(sorted(unknown))}")
    if arguments.child:
        train_and_sample(arguments)
        return
    if arguments.out:
        os.makedirs(arguments.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for peer in arguments.peers.split(","):
            print(json.dumps(run(peer, arguments, arguments.out or folder)), flush=True)


if __name__ == "__main__":
    main()
