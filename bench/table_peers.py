#!/usr/bin/env python3
"""Trains generators of tables for given minutes, samples as many rows as they were trained on, and scores them.

usage: build/peers/bin/python bench/table_peers.py --train TRAIN.csv --test HELDOUT.csv [--minutes 10] [--threads 2]
       [--clock wall|processor] [--peers ctgan,tvae] [--out FOLDER] [--kinds COLUMN=numerical,...]
       [--target COLUMN] [--seed 0]

Peers: CTGAN and TVAE (Xu et al., 2019; PyPI ctgan) with their own defaults, but for as many epochs as end within the
minutes, of which preparing the data is a part; on the processor. TabDDPM (Kotelnikov et al., 2023; PyPI synthcity) as
--peers tabddpm, where script/peers --tabddpm has made build/peers-synthcity (see bench/peers/generators.py). Categories
are given as written; rows with missing numbers, which these peers refuse, are left out (14 of shoppers). One line of
JSON per peer: epochs, seconds of training and of sampling, peak memory of both, processor, and the figures of
bench/table_scores.py. With --out, the samples stay there.

--clock processor counts the process's own time divided by the threads, for a machine that others use.
Needs script/peers --tables-training. Each peer has a process of its own, so that its memory is its own.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/peers")
PEERS = ["ctgan", "tvae", "tabddpm"]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"


def train_and_sample(arguments):
    """In a process of its own: writes the sample, prints what it took."""
    import table_data  # sets the threads to one where OMP_NUM_THREADS says nothing
    import generators
    import numpy
    import torch

    clock = time.monotonic if arguments.clock == "wall" else lambda: time.process_time() / arguments.threads
    progress = generators.UntilDeadline(clock, 60 * arguments.minutes)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    numpy.random.seed(arguments.seed)
    table = table_data.Table(arguments.train)
    kinds = table_data.kinds_of(table.values, arguments.kinds)
    categories = [name for name, kind in kinds.items() if kind == "categorical"]
    data = table.values.assign(**{name: table.texts[name] for name in categories}).dropna().reset_index(drop=True)
    integers = [name for name in kinds if name not in categories and (data[name] % 1 == 0).all()]
    data = data.astype(dict.fromkeys(integers, "int64"))  # peers write integers where they are given such
    start, before = time.monotonic(), time.process_time()
    target = arguments.target or table_data.target_of(table.values.columns)
    sample, packages = generators.PEERS[arguments.child](data, kinds, target, progress, len(table), arguments.seed)
    trained, used = time.monotonic(), time.process_time() - before
    sample().to_csv(arguments.out, index=False)
    print(json.dumps({"peer": arguments.child, "versions": generators.versions(packages), "epochs": progress.epochs,
                      "threads": arguments.threads, "training_seconds": round(trained - start, 1),
                      "training_cpu_seconds": round(used, 1),
                      "sampling_seconds": round(time.monotonic() - trained, 1),
                      "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                      "processor": processor()}))


def answer_of(python, command, threads):
    """The last line that a program prints, as JSON; None where it fails, of which it tells."""
    settings = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                    OMP_WAIT_POLICY="passive")
    done = subprocess.run([python, *command], stdout=subprocess.PIPE, text=True, env=settings)
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])


def run(peer, arguments, folder):
    sample = f"{folder}/{peer}.csv"
    shared = ["--kinds", arguments.kinds, "--seed", str(arguments.seed)]
    shared += ["--target", arguments.target] if arguments.target else []
    python = f"{HERE}/../build/{'peers-synthcity' if peer == 'tabddpm' else 'peers'}/bin/python"
    made = answer_of(python, [f"{HERE}/table_peers.py", "--child", peer, "--train", arguments.train, "--out", sample,
                              "--minutes", str(arguments.minutes), "--threads", str(arguments.threads), "--clock",
                              arguments.clock, *shared], arguments.threads)
    if not made:
        return {"peer": peer, "failed": "training"}
    test = ["--test", arguments.test] if arguments.test else []
    found = answer_of(sys.executable, [f"{HERE}/table_scores.py", "--real", arguments.train, "--synthetic", sample,
                                       *test, *shared], 1)
    return {**made, **(found or {"failed": "scores"})}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    for name in ("--test", "--target", "--out"):
        parser.add_argument(name)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--peers", default="ctgan,tvae")
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
