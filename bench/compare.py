#!/usr/bin/python3
"""Runs our side and its peers in turn, all alive at once, and prints the medians and their ratios."""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-torch
VARIANTS = ["plain", "careful", "careful-bf16"]


def usual_variants():
    """bfloat16 where the processor has it: elsewhere PyTorch's is many times slower than its float32."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return VARIANTS if "avx512_bf16" in file.read() else VARIANTS[:2]


# name, our case, peer script, settings, largest difference of the results relative to their size
COMPARISONS = [
    ("MLP training step, batch 256", "mlp-training", "mlp.py", {"work": "training", "batch": 256}, 1e-3),
    ("MLP training step, batch 4096", "mlp-training", "mlp.py", {"work": "training", "batch": 4096, "repeat": 3}, 1e-3),
    ("MLP sampling, 200 steps, 100 points", "mlp-sampling", "mlp.py", {"n": 100}, 1e-3),
    ("MLP sampling, 200 steps, 4096 points", "mlp-sampling", "mlp.py", {"n": 4096}, 1e-3),
    ("MLP sampling, 3 steps, 100,000 points", "mlp-sampling", "mlp.py", {"n": 100000, "steps": 3}, 1e-3),
    ("U-Net 1x28x28 training, 4 steps of batch 32", "unet-training", "unet.py", {"work": "training"}, 1e-3),
    ("U-Net 3x32x32 training, 4 steps of batch 32", "unet-training", "unet.py",
     {"work": "training", "channels": 3, "side": 32}, 1e-3),
    ("U-Net 1x28x28 sampling, 10 steps, batch 32", "unet-sampling", "unet.py", {"n": 32}, 1e-3),
    ("U-Net 3x32x32 sampling, 10 steps, batch 32", "unet-sampling", "unet.py",
     {"n": 32, "channels": 3, "side": 32}, 1e-3),
    *[(f"exact denoiser, 5000 data x 2000 queries, d = {d}", "exact-denoiser", "exact_denoiser.py",
       {"dimension": d}, 1e-3) for d in (2, 64, 784)],
    *[(f"a million normals in rows of {c}, one thread", "normals", "normals.py",
       {"columns": c, "rows": 1000000 // c, "threads": 1}, 3e-2) for c in (2, 64, 1000)],
]


def environment_of(command, threads):
    """Peers: threads that sleep while they wait, which is their best here. Ours: what the command `fokker` sets."""
    settings = dict(os.environ, OMP_NUM_THREADS=str(threads))
    if command[0] == PYTHON:
        return dict(settings, OPENBLAS_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive")
    return dict(settings, OPENBLAS_NUM_THREADS="1", GOMP_SPINCOUNT="10000")


class Process:
    def __init__(self, command, threads):
        environment = environment_of(command, threads)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.answer("")

    def answer(self, line):
        if line:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        text = self.process.stdout.readline().strip()
        if not text:
            sys.exit(f"compare: {' '.join(self.process.args)} ended without an answer")
        return text

    def run(self):
        return float(self.answer("run"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def difference(folder, variant):
    ours, theirs = (numpy.load(f"{folder}/{name}.npy").astype(numpy.float64) for name in ("ours", variant))
    return float(numpy.abs(ours - theirs).max() / numpy.abs(ours).max())


def compare(program, entry, options):
    name, case, script, settings, tolerance = entry
    words = [f"{key}={value}" for key, value in {"threads": options.threads, **settings}.items()]
    with tempfile.TemporaryDirectory() as folder:
        ours = Process([program, case, folder, *words], options.threads)
        peers = {v: Process([PYTHON, f"{HERE}/peers/{script}", folder, v, *words], options.threads)
                 for v in options.variants}
        sides = {"ours": ours, **peers}
        times = {side: [] for side in sides}
        for process in sides.values():
            process.run()  # warm-up
        for _ in range(options.repeats):
            for side, process in sides.items():
                times[side].append(process.run())
        for process in sides.values():
            process.answer("save")
        result = {"name": name, "ours": statistics.median(times["ours"])}
        products = float(peers[options.variants[-1]].answer("products")) if peers else 0
        result["products"] = products / result["ours"] / options.limits["products"]
        for variant in peers:
            ratios = [theirs / mine for theirs, mine in zip(times[variant], times["ours"])]
            result[variant] = {"seconds": statistics.median(times[variant]), "ratio": statistics.median(ratios),
                               "lowest": min(ratios), "highest": max(ratios), "difference": difference(folder, variant)}
            allowed = tolerance * (100 if variant.endswith("bf16") else 1)
            if not result[variant]["difference"] <= allowed or math.isnan(result[variant]["difference"]):
                sys.exit(f"compare: {name}: {variant} differs from ours by {result[variant]['difference']:.3g} of the "
                         f"result's size, expected at most {allowed:g}: not the same work")
        for process in sides.values():
            process.close()
    return result


def line(result):
    text = f"{result['name']:<46} ours {1e3 * result['ours']:9.2f} ms"
    text += f" {100 * result['products']:4.0f} %" if result["products"] else "       "
    for variant in VARIANTS:
        if variant in result:
            r = result[variant]
            text += f"   {variant} {r['ratio']:5.2f}x ({r['lowest']:.2f}-{r['highest']:.2f})"
    return text


def markdown(results, variants):
    """The table of docs/performance.md."""
    rows = [["work", "ours", "products", *[f"{v} / ours" for v in variants]], ["---"] * (3 + len(variants))]
    for r in results:
        ratios = [f"{r[v]['ratio']:.1f} ({r[v]['lowest']:.1f}–{r[v]['highest']:.1f})" for v in variants]
        rows.append([r["name"], f"{1e3 * r['ours']:.3g} ms", f"{100 * r['products']:.0f} %" if r["products"] else "",
                     *ratios])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def parser(description):
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("program", help="bench_compare")
    arguments.add_argument("--only", default="", help="those whose name contains this")
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--json", help="write the results to this file")
    return arguments


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--variants", type=lambda text: text.split(","), default=usual_variants())
    arguments.add_argument("--markdown", help="write them as a table to this file")
    options = arguments.parse_args()
    options.limits = json.loads(subprocess.check_output([options.program, "limits", f"threads={options.threads}"]))
    print(f"{options.threads} threads: oneDNN's float32 product {1e-9 * options.limits['products']:.0f} Gflop/s, triad "
          f"{1e-9 * options.limits['bandwidth']:.1f} GB/s. Percent: operations in products, counted directly, of that rate.")
    results = [{"name": "limits", **options.limits}]
    for entry in COMPARISONS:
        if options.only.lower() in entry[0].lower():
            results.append(compare(options.program, entry, options))
            print(line(results[-1]), flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(markdown(results[1:], options.variants))


if __name__ == "__main__":
    main()
