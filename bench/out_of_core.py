"""Data larger than memory: trains on it from disk under a limit of memory, and on the same kind of rows in memory, in turn.

    python3 bench/out_of_core.py --folder /scratch/out-of-core
    python3 bench/out_of_core.py --folder /scratch/out-of-core --gigabytes 2 --images 5000 --pairs 1    # a quick look

Makes, once, in the folder: a sparse NPY file of float32 rows (--gigabytes, --columns), a smaller one of the same columns
that fits in memory, and a folder of small PNG images of random pixels (--images, 28 x 28). For each of the two it runs
`fokker train` with --stream yes, under a limit on the memory that the process may have of its own (RLIMIT_DATA,
--limit-gib), and with --stream no, --pairs times in turn, and prints

  speed     rows a second by the command's own metrics, from the second line to the last: the steps, not what comes before
  before    seconds until the first line of metrics: reading, checking and scaling the data, and the first steps
  peak      the largest resident memory (VmHWM), and of it what is the process's own (RssAnon, sampled)
  ratio     of the speeds, from disk over in memory: the median of the pairs, and each

Only Python's own library is needed. Figures mean something on a machine that does nothing else.
"""
import argparse
import json
import os
import random
import resource
import shutil
import statistics
import struct
import subprocess
import time
import zlib
from pathlib import Path


def sparse_npy(path, rows, columns):
    """An NPY file of zeros that takes no blocks on disk."""
    if path.exists():
        return
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.ljust(117).encode() + b"\n"
    with open(path, "wb") as out:
        out.write(head)
        out.truncate(len(head) + 4 * rows * columns)


def png(pixels, side):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + pixels[i * side:(i + 1) * side] for i in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def image_folder(folder, count, side=28):
    """Images of a smooth shade and noise, about as large as pictures of digits."""
    if folder.exists() and sum(1 for _ in folder.iterdir()) == count:
        return
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(1)
    noise = draw.randbytes(1 << 20)
    for i in range(count):
        at = draw.randrange(len(noise) - side * side)
        shade = bytes((noise[at + j] >> 4) * (j % side) // side * 8 & 255 for j in range(side * side))
        (folder / f"{i:06}.png").write_bytes(png(shade, side))


def status_kib(pid, name):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def children(pid):
    """The process and those that it has become or begun."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        below = []
    return [pid] + [each for child in below for each in children(int(child))]


def train(options, data, out, stream, steps, more):
    shutil.rmtree(out, ignore_errors=True)
    words = [options.fokker, "train", "--data", str(data), "--out", str(out), "--stream", stream, "--steps", str(steps),
             "--held-out-every", str(10 * steps), "--checkpoint-every", str(10 * steps), "--no-report", "--quiet",
             "--threads", str(options.threads)] + more
    limit = int(options.limit_gib * 2**30)

    def limited():
        if stream == "yes":
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    process = subprocess.Popen(words, preexec_fn=limited)
    peak = own = before = 0
    start = time.monotonic()
    while process.poll() is None:
        for pid in children(process.pid):
            peak = max(peak, status_kib(pid, "VmHWM"))
            own = max(own, status_kib(pid, "RssAnon"))
        if not before and (out / "metrics.jsonl").exists():
            before = time.monotonic() - start
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {process.returncode}")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    first, last = lines[1], lines[-1]
    return {"steps_per_second": (last["step"] - first["step"]) / (last["seconds"] - first["seconds"]),
            "before": before, "peak_mib": peak / 1024, "own_mib": own / 1024}


def compare(options, name, from_disk, in_memory, steps, batch, more=()):
    out = options.folder / "run"
    pairs = []
    for i in range(options.pairs):
        sides = [("yes", from_disk), ("no", in_memory)]
        found = {}
        for stream, data in sides if i % 2 == 0 else sides[::-1]:
            found[stream] = train(options, data, out, stream, steps, ["--batch", str(batch), *more])
            r = found[stream]
            print(f"{name}  {'from disk' if stream == 'yes' else 'in memory'}  {batch * r['steps_per_second']:.0f} rows/s  "
                  f"before {r['before']:.0f} s  peak {r['peak_mib']:.0f} MiB, own {r['own_mib']:.0f} MiB", flush=True)
        pairs.append(found["yes"]["steps_per_second"] / found["no"]["steps_per_second"])
    print(f"{name}  ratio {statistics.median(pairs):.3f}  (pairs: {', '.join(f'{p:.3f}' for p in pairs)})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="scratch space: the files and the runs")
    parser.add_argument("--fokker", default="build/release/cli/fokker")
    parser.add_argument("--gigabytes", type=float, default=20, help="of the sparse NPY file")
    parser.add_argument("--columns", type=int, default=784)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--limit-gib", type=float, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["npy", "images"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.only != "images":
        rows = int(options.gigabytes * 1e9) // (4 * options.columns)
        large, small = options.folder / f"large-{rows}.npy", options.folder / "small.npy"
        sparse_npy(large, rows, options.columns)
        sparse_npy(small, min(rows, 100_000), options.columns)
        compare(options, "npy   ", large, small, 2000, 512)
    if options.only != "npy":
        images = options.folder / f"images-{options.images}"
        image_folder(images, options.images)
        compare(options, "images", images, images, 300, 32)


if __name__ == "__main__":
    main()
