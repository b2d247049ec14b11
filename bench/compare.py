#!/usr/bin/python3
"""Runs our side and its peers in turn, all alive at once, and prints the medians and their ratios."""
import argparse
import glob
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
TODAY = os.path.join(HERE, "../build/peers")  # made by script/peers
# A peer is ENVIRONMENT-USE: Debian's PyTorch 1.13, today's, today's diffusers (which has a U-Net alone).
PYTHONS = {"torch1": "/usr/bin/python3", "torch2": f"{TODAY}/bin/python", "diffusers": f"{TODAY}/bin/python"}
PEERS = ["torch1-plain", "torch1-careful", "torch1-careful-bf16", "torch2-careful", "torch2-careful-bf16",
         "torch2-compiled", "torch2-compiled-bf16", "diffusers-careful", "diffusers-careful-bf16"]


def environment_name(peer):
    return peer.split("-")[0]


def versions():
    """{environment: its versions} of those that exist."""
    wanted = {"torch1": ["torch"], "torch2": ["torch"], "diffusers": ["diffusers", "torch", "accelerate"]}
    found = {}
    for name, packages in wanted.items():
        text = "; ".join(["import importlib", *(f"print('{p}', importlib.import_module('{p}').__version__)" for p in packages)])
        try:
            done = subprocess.run([PYTHONS[name], "-c", text], capture_output=True, text=True, check=True)
            found[name] = ", ".join(done.stdout.splitlines())
        except (OSError, subprocess.CalledProcessError):
            pass
    return found


def usual_peers(found):
    """Of the environments that exist; bfloat16 where the processor has it, which is many times slower elsewhere."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        has_bf16 = "avx512_bf16" in file.read()
    compiles = glob.glob("/usr/include/python3.*/Python.h") and shutil.which("g++")  # for what torch.compile writes
    return [peer for peer in PEERS if environment_name(peer) in found and (has_bf16 or not peer.endswith("bf16"))
            and (compiles or "compiled" not in peer)]


def suits(peer, script):
    return environment_name(peer) != "diffusers" or script == "unet.py"


def peer_command(peer, script):
    """The program of a peer, before its arguments."""
    if environment_name(peer) == "diffusers":
        script = "unet_diffusers.py"
    return [PYTHONS[environment_name(peer)], f"{HERE}/peers/{script}"]


# name, our case, peer script, settings, largest difference of the results relative to their size
COMPARISONS = [
    ("MLP training step, batch 256", "mlp-training", "mlp.py", {"work": "training", "batch": 256}, 1e-3),
    ("MLP training step, batch 4096", "mlp-training", "mlp.py", {"work": "training", "batch": 4096, "repeat": 10}, 1e-3),
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
    if command[0] in PYTHONS.values():
        return dict(settings, OPENBLAS_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive", HF_HUB_OFFLINE="1",
                    TORCHINDUCTOR_CACHE_DIR=f"{TODAY}/inductor", TORCHINDUCTOR_COMPILE_THREADS="1")
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


def difference(folder, peer):
    ours, theirs = (numpy.load(f"{folder}/{name}.npy").astype(numpy.float64) for name in ("ours", peer))
    return float(numpy.abs(ours - theirs).max() / numpy.abs(ours).max())


def measure(sides, repeats):
    """{side: seconds of its runs}: each once as a warm-up, then all in turn."""
    for process in sides.values():
        process.run()
    times = {side: [] for side in sides}
    for _ in range(repeats):
        for side, process in sides.items():
            times[side].append(process.run())
    return times


def check_agreement(name, peer, found, tolerance):
    allowed = tolerance * (100 if peer.endswith("bf16") else 1)
    if not found <= allowed or math.isnan(found):
        sys.exit(f"compare: {name}: {peer} differs from ours by {found:.3g} of the result's size, expected at most "
                 f"{allowed:g}: not the same work")


def has_network(case):
    """Whether --precision auto has something to choose."""
    return case.startswith(("mlp", "unet"))


def best_of(result, peers, key="ratio"):
    """The peer that takes the least time."""
    return min((peer for peer in peers if peer in result), key=lambda peer: result[peer][key], default=None)


def compare(program, entry, options):
    name, case, script, settings, tolerance = entry
    words = [f"{key}={value}" for key, value in {"threads": options.threads, **settings}.items()]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        ours = Process([program, case, folder, *words], options.threads)
        auto = Process([program, case, other, *words, "precision=auto"], options.threads) if has_network(case) else None
        peers = {peer: Process([*peer_command(peer, script), folder, peer, *words], options.threads)
                 for peer in options.peers if suits(peer, script)}
        sides = {"ours": ours, **({"auto": auto} if auto else {}), **peers}
        times = measure(sides, options.repeats)
        for process in sides.values():
            process.answer("save")
        result = {"name": name, "ours": statistics.median(times["ours"])}
        products = float(next(iter(peers.values())).answer("products")) if peers else 0
        result["products"] = products / result["ours"] / options.limits["products"]
        if auto:
            arithmetic = auto.answer("precision")
            result["auto"] = {"seconds": statistics.median(times["auto"]), "precision": arithmetic}
            limit = options.limits["bf16_products" if arithmetic == "bf16" else "products"]
            result["auto"]["products"] = products / result["auto"]["seconds"] / limit
        for peer in peers:
            best = times["ours"] if not auto or not peer.endswith("bf16") else times["auto"]
            ratios = [theirs / mine for theirs, mine in zip(times[peer], best)]
            result[peer] = {"seconds": statistics.median(times[peer]), "ratio": statistics.median(ratios),
                            "lowest": min(ratios), "highest": max(ratios), "difference": difference(folder, peer)}
            check_agreement(name, peer, result[peer]["difference"], tolerance)
        if auto:
            fastest = best_of(result, options.peers, "seconds")
            ratios = [theirs / mine for theirs, mine in zip(times[fastest], times["auto"])] if fastest else []
            result["all"] = {"peer": fastest, "ratio": statistics.median(ratios), "lowest": min(ratios),
                             "highest": max(ratios)} if fastest else None
        result["best float32"] = best_of(result, [peer for peer in options.peers if not peer.endswith("bf16")])
        if not auto:
            fastest = best_of(result, options.peers)
            result["all"] = {"peer": fastest, **result[fastest]} if fastest else None
        for process in sides.values():
            process.close()
    return result


def ratio_text(r):
    return f"{r['ratio']:.2f} ({r['lowest']:.2f}-{r['highest']:.2f})"


def share_text(part):
    return f"{100 * part['products']:.0f} %" if part["products"] else ""


def lines(result):
    text = [f"{result['name']:<46} ours {1e3 * result['ours']:9.2f} ms {share_text(result):>6}"]
    if "auto" in result:
        auto = result["auto"]
        text += [f"    {'ours, --precision auto':<41} {auto['precision']} {1e3 * auto['seconds']:9.2f} ms {share_text(auto):>6}"]
    text += [f"    {peer:<24}{ratio_text(result[peer])}" for peer in PEERS if peer in result]
    if result["best float32"]:
        text += [f"    {'best in float32':<24}{ratio_text(result[result['best float32']])}  {result['best float32']}"]
    if result["all"]:
        text += [f"    {'best of all / auto':<24}{ratio_text(result['all'])}  {result['all']['peer']}"]
    return "\n".join(text)


def markdown(results, peers):
    """The table of docs/performance.md: ratios, and where the best peer is, also the lowest and highest. Peers in
    bfloat16 are over ours with --precision auto, the others over ours in float32."""
    rows = [["work", "ours", "auto", "best in float32 / ours", "best of all / auto", *peers], ["---"] * (5 + len(peers))]
    for r in results:
        float32 = f"{ratio_text(r[r['best float32']])} {r['best float32']}" if r["best float32"] else ""
        best = f"{ratio_text(r['all'])} {r['all']['peer']}" if r["all"] else ""
        auto = f"{1e3 * r['auto']['seconds']:.3g} ms, {share_text(r['auto'])}" if "auto" in r else ""
        rows.append([r["name"], f"{1e3 * r['ours']:.3g} ms, {share_text(r)}".rstrip(", "), auto, float32, best,
                     *[f"{r[peer]['ratio']:.2f}" if peer in r else "" for peer in peers]])
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
    arguments.add_argument("--peers", type=lambda text: text.split(","), help=f"of {', '.join(PEERS)}")
    arguments.add_argument("--markdown", help="write them as a table to this file")
    options = arguments.parse_args()
    found = versions()
    unknown = [peer for peer in options.peers or [] if peer not in PEERS or environment_name(peer) not in found]
    if unknown:
        arguments.error(f"--peers: {', '.join(unknown)}: expected of {', '.join(PEERS)}, those whose environment exists "
                        f"(script/peers, python3-torch): {', '.join(found) or 'none does'}")
    options.peers = options.peers or usual_peers(found)
    options.limits = json.loads(subprocess.check_output([options.program, "limits", f"threads={options.threads}"]))
    print(f"{options.threads} threads: oneDNN's float32 product {1e-9 * options.limits['products']:.0f} Gflop/s, triad "
          f"{1e-9 * options.limits['bandwidth']:.1f} GB/s. in bfloat16 {1e-9 * options.limits['bf16_products']:.0f}. "
          "Percent: operations in products, counted directly, of the rate in that arithmetic.")
    print("Peer's time / ours. " + "; ".join(f"{name}: {text}" for name, text in found.items()))
    results = [{"name": "limits", **options.limits, "versions": found}]
    for entry in COMPARISONS:
        if options.only.lower() in entry[0].lower():
            results.append(compare(options.program, entry, options))
            print(lines(results[-1]), flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(markdown(results[1:], options.peers))


if __name__ == "__main__":
    main()
