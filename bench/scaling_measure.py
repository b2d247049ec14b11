"""Measures what bench/scaling_model.py computes from: step times of one rank, what two exchange, and how long they take.

  python3 bench/scaling_measure.py --out bench/measured/scaling.json [--seconds 10] [--only NETWORK] [--note TEXT]

Each rank has one thread. Two ranks run in a network namespace of their own, where that can be made (root), so that the loopback
interface's counters are theirs alone: the bytes of a step are the difference of two runs of unlike length, divided by the
difference of their steps. A measurement that is in the file already is replaced.
"""
import argparse
import fcntl
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOKKER = os.environ.get("FOKKER", str(ROOT / "build/release/cli/fokker"))
EXCHANGE = os.environ.get("BENCH_EXCHANGE", str(ROOT / "build/release/bench/bench_exchange"))

# name, how it is trained, batches of one rank
NETWORKS = {
    "mlp": (["--data", "target:two-modes", "--rows", "20000"], [256, 512, 2048, 4096]),
    "unet-1x28x28": (["--data", "DATA", "--channels", "16"], [8, 16, 32, 64]),
    "unet-3x32x32": (["--data", "DATA", "--channels", "40"], [4, 8, 16]),
}
IMAGES = {"unet-1x28x28": (1, 28, 28), "unet-3x32x32": (3, 32, 32)}


def raise_loopback():
    """In a new network namespace the interface is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(link, 0x8913, name))[1]
        fcntl.ioctl(link, 0x8914, struct.pack("16sh", b"lo", flags | 1))


def in_own_network(function):
    """Runs it in a process with a network namespace of its own; what it returns, or None where none can be made."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.unshare(os.CLONE_NEWNET) if hasattr(os, "unshare") else unshare_network()
            raise_loopback()
        except OSError:
            os._exit(77)
        try:
            os.write(write, json.dumps(function()).encode())
            os._exit(0)
        except BaseException as error:  # the parent says so
            os.write(2, f"scaling_measure: {error}\n".encode())
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as said:
        text = said.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 77:
        return None
    if status != 0:
        sys.exit(1)
    return json.loads(text)


def unshare_network():
    import ctypes
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def loopback_bytes():
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split(":")[1].split()[0])
    raise OSError("no loopback interface")


def write_images(file, shape):
    """A NPY of bytes: noise does as well as pictures for the time of a step."""
    rows = 512
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {(rows, *shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    size = rows
    for side in shape:
        size *= side
    file.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + os.urandom(size))


class Trainings:
    def __init__(self, work, network):
        self.work, self.network = work, network
        data = work / f"{network}.npy"
        if network in IMAGES:
            write_images(data, IMAGES[network])
        self.words = [str(data) if word == "DATA" else word for word in NETWORKS[network][0]]

    def run(self, batch, steps, ranks=1):
        """Rows per second of all lines but the first, and the run's folder."""
        out = self.work / f"{self.network}-{ranks}"
        words = ["train", *self.words, "--out", str(out), "--overwrite", "--batch", str(batch), "--steps", str(steps),
                 "--checkpoint-every", "100000000", "--held-out", "0", "--no-report", "--quiet", "--threads", "1"]
        if ranks > 1:
            words = ["launch", "--processes", str(ranks), "--", *words]
        subprocess.run([FOKKER, *words], check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        rates = [line["rows_per_second"] for line in lines[1:]] or [lines[0]["rows_per_second"]]
        return rates, out

    def steps_for(self, batch, seconds):
        """So many steps take about so long; lines come every 50 of them or so."""
        steps = 120
        rates, _ = self.run(batch, steps)
        return max(120, int(seconds * statistics.median(rates) / batch))


def parameters_of(run):
    said = subprocess.run([FOKKER, "inspect", str(run), "--json"], check=True, capture_output=True, text=True).stdout
    found = json.loads(said)
    for key in ("parameters", "parameter_count"):
        if isinstance(found.get(key), int):
            return found[key]
    raise SystemExit(f"scaling_measure: inspect names no number of parameters: {sorted(found)}")


def traffic_of(trainings, batch):
    """Bytes that two ranks exchange in a step, both ways together."""
    def measure():
        counts = []
        for steps in (120, 360):
            before = loopback_bytes()
            trainings.run(batch, steps, ranks=2)
            counts.append(loopback_bytes() - before)
        return (counts[1] - counts[0]) / 240
    return in_own_network(measure)


def measure_network(work, network, seconds):
    trainings = Trainings(work, network)
    found = {"step_seconds": {}, "rows_per_second_spread": {}}
    for batch in NETWORKS[network][1]:
        steps = trainings.steps_for(batch, seconds)
        rates, run = trainings.run(batch, steps)
        rate = statistics.median(rates)
        found["step_seconds"][str(batch)] = batch / rate
        found["rows_per_second_spread"][str(batch)] = [min(rates), max(rates)]
        print(f"{network}, batch {batch}: {batch / rate * 1e3:.3f} ms a step ({len(rates)} lines)", flush=True)
    found["parameters"] = parameters_of(run)
    found["two_ranks"] = {}
    for batch in NETWORKS[network][1][-2:]:
        steps = trainings.steps_for(2 * batch, seconds)
        rates, _ = trainings.run(2 * batch, steps, ranks=2)
        rate = statistics.median(rates)
        found["two_ranks"][str(2 * batch)] = 2 * batch / rate
        print(f"{network}, two ranks, batch {2 * batch}: {2 * batch / rate * 1e3:.3f} ms a step", flush=True)
    found["bytes_of_a_step_of_two"] = traffic_of(trainings, 2 * NETWORKS[network][1][0])
    print(f"{network}: {found['bytes_of_a_step_of_two']} bytes a step between two ranks", flush=True)
    return found


def measure_exchange(ranks):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [subprocess.Popen([EXCHANGE, "40"], stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(ranks), "MASTER_PORT": str(port)})
                 for rank in range(ranks)]
    said = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("scaling_measure: bench_exchange failed")
    return json.loads(said[0])


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement, about")
    parser.add_argument("--only", choices=[*NETWORKS, "exchange"])
    parser.add_argument("--note", default="", help="what else was running, which is kept beside the figures")
    options = parser.parse_args()
    out = Path(options.out)
    found = json.loads(out.read_text()) if out.exists() else {"networks": {}, "exchange": {}}
    found["machine"] = {"processor": processor(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="fokker-scaling-") as work:
        for network in NETWORKS:
            if options.only in (None, network):
                found["networks"][network] = measure_network(Path(work), network, options.seconds)
                found["networks"][network]["note"] = options.note
                found["networks"][network]["when"] = time.strftime("%Y-%m-%d")
                out.write_text(json.dumps(found, indent=1) + "\n")
    if options.only in (None, "exchange"):
        for ranks in (2, 3, 4):
            found["exchange"][str(ranks)] = {**measure_exchange(ranks), "note": options.note}
        out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
