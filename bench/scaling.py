"""How our time grows with steps, batch, data and threads: medians, local slopes on logarithmic axes, and a picture."""
import json
import math
import statistics
import subprocess
import tempfile

from compare import Process, parser

# name, case, fixed settings, what grows, its values
CURVES = [
    ("MLP sampling, 4096 points", "mlp-sampling", {"n": 4096}, "steps", [5, 10, 20, 40, 80]),
    ("MLP sampling, 5 steps", "mlp-sampling", {"steps": 5}, "n", [1024, 4096, 16384, 65536]),
    ("MLP training step", "mlp-training", {"repeat": 5}, "batch", [256, 512, 1024, 2048, 4096, 8192]),
    ("U-Net 1x28x28 sampling, 32 images", "unet-sampling", {"n": 32}, "steps", [1, 2, 4, 8]),
    ("U-Net 1x28x28 sampling, 2 steps", "unet-sampling", {"steps": 2}, "n", [8, 16, 32, 64, 128]),
    ("U-Net 1x28x28 training step", "unet-training", {}, "batch", [8, 16, 32, 64]),
    ("exact denoiser, d = 2, 1000 queries", "exact-denoiser", {"dimension": 2, "queries": 1000}, "data",
     [10000, 30000, 100000, 300000, 1000000]),
    ("exact denoiser, d = 64, 1000 queries", "exact-denoiser", {"dimension": 64, "queries": 1000}, "data",
     [1000, 3000, 10000, 30000, 100000]),
    ("exact denoiser, d = 2, 10,000 data", "exact-denoiser", {"dimension": 2, "data": 10000}, "queries",
     [1000, 3000, 10000, 30000, 100000]),
]

# name, case, settings
THREADS = [
    ("MLP sampling, 5 steps, 16,384 points", "mlp-sampling", {"n": 16384, "steps": 5}),
    ("MLP training step, batch 4096", "mlp-training", {"batch": 4096, "repeat": 3}),
    ("U-Net 1x28x28 training step, batch 32", "unet-training", {"batch": 32}),
    ("U-Net 1x28x28 sampling, 2 steps, 32 images", "unet-sampling", {"n": 32, "steps": 2}),
    ("exact denoiser, 5000 data x 2000 queries, d = 2", "exact-denoiser", {"dimension": 2}),
    ("exact denoiser, 5000 data x 2000 queries, d = 64", "exact-denoiser", {"dimension": 64}),
]


def start(program, case, settings, threads):
    folder = tempfile.TemporaryDirectory()
    words = [f"{key}={value}" for key, value in {"threads": threads, **settings}.items()]
    process = Process([program, case, folder.name, *words], threads)
    process.folder = folder
    process.run()  # warm-up
    return process


def curve(options, name, case, fixed, growing, values):
    processes = [start(options.program, case, {**fixed, growing: value}, options.threads) for value in values]
    times = [[] for _ in values]
    for _ in range(options.repeats):
        for process, seconds in zip(processes, times):
            seconds.append(process.run())
    for process in processes:
        process.close()
    medians = [statistics.median(seconds) for seconds in times]
    slopes = [math.log(t / s) / math.log(y / x) for x, y, s, t in zip(values, values[1:], medians, medians[1:])]
    print(f"{name}\n  {growing:<8}" + "".join(f"{v:>10}" for v in values))
    print("  ms      " + "".join(f"{1e3 * t:10.2f}" for t in medians))
    print("  slope             " + "".join(f"{s:10.2f}" for s in slopes), flush=True)
    return {"name": name, "growing": growing, "sizes": values, "seconds": medians, "slopes": slopes}


def threads(options, name, case, settings):
    one, two = (start(options.program, case, settings, n) for n in (1, 2))
    ratios = []
    for _ in range(2 * options.repeats):
        alone = one.run()
        ratios.append(alone / two.run())
    one.close()
    two.close()
    print(f"{name:<52} {statistics.median(ratios):5.2f} times one thread ({min(ratios):.2f}-{max(ratios):.2f})", flush=True)
    return {"name": name, "ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--picture", help="draw the curves into this file (.svg, .png or .pdf)")
    options = arguments.parse_args()
    if options.picture and not options.json:
        arguments.error("--picture: expected --json FILE too, which it is drawn from")
    chosen = [entry for entry in CURVES if options.only.lower() in entry[0].lower()]
    result = {"curves": [curve(options, *entry) for entry in chosen]}
    print("Two threads:")
    result["threads"] = [threads(options, *entry) for entry in THREADS if options.only.lower() in entry[0].lower()]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
    if options.picture:
        subprocess.run([options.program, "picture", options.json, options.picture], check=True)


if __name__ == "__main__":
    main()
