#!/usr/bin/python3
"""Wall clock from the start of a process to a held-out loss: `fokker train` against PyTorch, in turn.

usage: time_to_loss.py FOKKER points|images [--loss L] [--steps N] [--repeats N] [--threads N] [--peers torch1-careful,...]

points: 20,000 draws of the target two-modes; images: Fashion-MNIST. Both sides train with the settings that `fokker
train` has by default, see bench/peers/train.py.
"""
import argparse
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

from compare import PEERS, environment_of, peer_command, suits, usual_peers, versions

HERE = pathlib.Path(__file__).parent
IMAGES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
# Reached on the slope of the curve, where one draw of noise or another decides little.
WORKS = {"points": {"loss": 0.875, "steps": 3000}, "images": {"loss": 0.26, "steps": 1000}}


def make_data(fokker, work, folder):
    """(what fokker train reads, what the peer reads)"""
    if work == "points":
        file = f"{folder}/points.npy"
        subprocess.run([fokker, "sample", "--target", "two-modes", "--n", "20000", "--out", file, "--quiet"], check=True)
        return file, file
    file = f"{folder}/images.npy"
    with gzip.open(IMAGES) as stream:
        pixels = numpy.frombuffer(stream.read(), numpy.uint8, offset=16)
    numpy.save(file, pixels.reshape(-1, 1, 28, 28))
    return IMAGES, file


def wait_for_line(process, next_losses, wanted, start):
    """Seconds from `start` until a loss of at most `wanted`, and the losses on the way."""
    seen = []
    while True:
        running = process.poll() is None
        for loss in next_losses():
            seen.append(loss)
            if loss <= wanted:
                return time.perf_counter() - start, seen
        if not running:
            sys.exit(f"time_to_loss: {' '.join(map(str, process.args[:2]))} ended at losses {seen}, above {wanted}")
        time.sleep(0.05)  # rarely, for two cores have other work


def ours(options, data, folder):
    run = pathlib.Path(folder) / f"run-{time.monotonic_ns()}"
    command = [options.fokker, "train", "--data", data, "--out", str(run), "--steps", str(options.steps), "--threads",
               str(options.threads), "--no-report", "--quiet"]
    if options.work == "points":
        command += ["--normalise", "standardise"]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    read = {"lines": 0}

    def next_losses():
        if not (run / "metrics.jsonl").exists():
            return []
        text = (run / "metrics.jsonl").read_text()
        lines = text[: text.rfind("\n") + 1].splitlines()
        new, read["lines"] = lines[read["lines"]:], len(lines)
        return [entry["held_out_loss"] for entry in map(json.loads, new) if "held_out_loss" in entry]

    result = wait_for_line(process, next_losses, options.loss, start)
    process.terminate()
    process.wait()
    return result


def theirs(options, data, peer):
    command = [*peer_command(peer, "train.py"), data, peer, str(options.threads), str(options.steps)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment_of(command, options.threads))
    os.set_blocking(process.stdout.fileno(), False)
    rest = [b""]

    def next_losses():
        rest[0] += process.stdout.read() or b""
        *lines, rest[0] = rest[0].split(b"\n")
        return [float(line.split()[1]) for line in lines]

    result = wait_for_line(process, next_losses, options.loss, start)
    process.kill()
    process.wait()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fokker")
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("--loss", type=float, help="of the averaged weights on held-out rows")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", type=lambda text: text.split(","), help=f"of {', '.join(PEERS)}")
    options = parser.parse_args()
    options.peers = options.peers or [peer for peer in usual_peers(versions()) if suits(peer, "train.py")]
    for key, value in WORKS[options.work].items():
        setattr(options, key, getattr(options, key) or value)
    times = {side: [] for side in ["ours", *options.peers]}
    with tempfile.TemporaryDirectory() as folder:
        our_data, their_data = make_data(options.fokker, options.work, folder)
        for _ in range(options.repeats):
            for side, seconds in times.items():
                taken, losses = ours(options, our_data, folder) if side == "ours" else theirs(options, their_data, side)
                seconds.append(taken)
                print(f"  {side:<14}{taken:8.2f} s   held-out losses {[round(loss, 4) for loss in losses]}", flush=True)
    for side in options.peers:
        ratios = [their / mine for their, mine in zip(times[side], times["ours"])]
        print(f"{options.work}, held-out loss {options.loss}: {side} {statistics.median(ratios):.2f}x "
              f"({min(ratios):.2f}-{max(ratios):.2f}); ours {statistics.median(times['ours']):.1f} s")


if __name__ == "__main__":
    main()
