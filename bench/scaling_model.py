"""The efficiency of 8, 64 and 512 ranks, from what bench/scaling_measure.py measured, and the tables of docs/scaling.md.

  python3 bench/scaling_model.py [bench/measured/scaling.json]            prints the tables (Markdown)
  python3 bench/scaling_model.py --write                                  puts them into docs/scaling.md, between its marks
  python3 bench/scaling_model.py --link "our network=2.5e9,2e-5"          bytes a second and seconds a message of another
  python3 bench/scaling_model.py --self-test                              checks the arithmetic

The model, for n ranks, each with b rows of a step:

  compute(b)  = a + c b                 fitted to measured steps of one rank with one thread
  ring(s)     = 2 (n - 1) (L + s / (n B))   one bucket of s bytes: L a message, B bytes a second
  exchange    = sum of ring(bucket) over the buckets that training uses (512 KiB times n, a last one of what is left)
  hidden      = the backward pass, 2/3 of c b, of a U-Net; nothing of an MLP, whose gradients are complete at its end
  step        = compute(b) + max(ring(last bucket), exchange - hidden)

Efficiency: rows per second of n ranks, over n times those of one with the same b (the work grows with the ranks), or with the
same n b (a step's batch stays).
"""
import argparse
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "bench/measured/scaling.json"
PAGE = ROOT / "docs/scaling.md"
BEGIN, END = "<!-- bench/scaling_model.py -->", "<!-- end -->"
LINKS = {"10 Gbit/s": (1.1e9, 3e-5), "100 Gbit/s": (1.1e10, 1e-5)}
RANKS = [8, 64, 512]
BUCKET = 512 << 10  # bytes for each rank: step_exchange.cpp
BESIDE = 4          # numbers that go with the last bucket

# in and out channels, side, channels of the levels, residual blocks of each, levels with attention, attention in the middle
UNETS = {
    "unet-1x28x28": (1, 28, [16, 32, 64], 1, []),
    "unet-3x32x32": (3, 32, [40, 80, 160], 1, []),
    "ddpm-cifar10": (3, 32, [128, 256, 256, 256], 2, [1]),
}
NAMES = {"mlp": "MLP", "unet-1x28x28": "U-Net, 1 x 28 x 28", "unet-3x32x32": "U-Net, 3 x 32 x 32",
         "ddpm-cifar10": "U-Net of ddpm-cifar10-32"}


class Count:
    """Parameters, and multiplications with an addition of one image's forward pass."""

    def __init__(self):
        self.parameters = self.products = 0

    def layer(self, inputs, outputs, taps=1, pixels=1):
        self.parameters += taps * inputs * outputs + outputs
        self.products += taps * inputs * outputs * pixels

    def norm(self, channels):
        self.parameters += 2 * channels

    def resnet(self, inputs, outputs, time, pixels):
        self.norm(inputs)
        self.layer(inputs, outputs, 9, pixels)
        self.layer(time, outputs)
        self.norm(outputs)
        self.layer(outputs, outputs, 9, pixels)
        if inputs != outputs:
            self.layer(inputs, outputs, 1, pixels)

    def attention(self, channels, pixels):
        self.norm(channels)
        for _ in range(4):
            self.layer(channels, channels, 1, pixels)
        self.products += 2 * pixels * pixels * channels


def count_unet(in_channels, side, levels, blocks, with_attention):
    """Of diffusers' UNet2DModel, with attention in the middle block."""
    count, first = Count(), levels[0]
    time = 4 * first
    sides = [side]
    for _ in levels[1:]:
        sides.append((sides[-1] + 1) // 2)
    count.layer(in_channels, first, 9, side * side)
    count.layer(first, time)
    count.layer(time, time)
    skips, below = [first], first
    for level, channels in enumerate(levels):
        pixels = sides[level] ** 2
        for _ in range(blocks):
            count.resnet(below, channels, time, pixels)
            if level in with_attention:
                count.attention(channels, pixels)
            below = channels
            skips.append(below)
        if level + 1 < len(levels):
            count.layer(below, below, 9, sides[level + 1] ** 2)
            skips.append(below)
    pixels = sides[-1] ** 2
    count.resnet(below, below, time, pixels)
    count.attention(below, pixels)
    count.resnet(below, below, time, pixels)
    for level in reversed(range(len(levels))):
        pixels = sides[level] ** 2
        for _ in range(blocks + 1):
            count.resnet(below + skips.pop(), levels[level], time, pixels)
            below = levels[level]
            if level in with_attention:
                count.attention(below, pixels)
        if level > 0:
            count.layer(below, below, 9, sides[level - 1] ** 2)
    count.norm(below)
    count.layer(below, in_channels, 9, side * side)
    return count


def operations_of_row(count):
    """Forward, and twice as many back; a product and its addition are two."""
    return 6 * count.products


def fit(steps):
    """a and c of a + c b, least squares of the relative errors, a not below 0."""
    points = [(float(b), t) for b, t in steps.items()]
    weights = [1 / t ** 2 for _, t in points]
    total = sum(weights)
    mean_b = sum(w * b for w, (b, _) in zip(weights, points)) / total
    mean_t = sum(w * t for w, (_, t) in zip(weights, points)) / total
    slope = (sum(w * (b - mean_b) * (t - mean_t) for w, (b, t) in zip(weights, points)) /
             sum(w * (b - mean_b) ** 2 for w, (b, _) in zip(weights, points)))
    fixed = mean_t - slope * mean_b
    if fixed < 0:
        fixed, slope = 0.0, (sum(w * b * t for w, (b, t) in zip(weights, points)) /
                             sum(w * b * b for w, (b, _) in zip(weights, points)))
    return fixed, slope


def ring(size, ranks, link):
    bandwidth, latency = link
    return 2 * (ranks - 1) * (latency + size / (ranks * bandwidth))


def buckets(parameters, ranks):
    size, bucket = 4 * parameters, BUCKET * ranks
    full = max(0, math.ceil(size / bucket) - 1)
    return [bucket] * full + [size - full * bucket + 4 * BESIDE]


class Network:
    def __init__(self, name, parameters, fixed, of_row, batch, measured):
        self.name, self.parameters, self.fixed, self.of_row = name, parameters, fixed, of_row
        self.batch, self.measured = batch, measured

    def compute(self, rows):
        return self.fixed + self.of_row * rows

    def step(self, rows, ranks, link):
        if ranks == 1:
            return self.compute(rows)
        times = [ring(size, ranks, link) for size in buckets(self.parameters, ranks)]
        hidden = 0.0 if self.name == "mlp" else 2 / 3 * self.of_row * rows
        return self.compute(rows) + max(times[-1], sum(times) - hidden)

    def efficiency(self, rows, ranks, link, same_batch):
        """`rows` of one rank, or, where the step's batch stays, of all."""
        each = rows / ranks if same_batch else rows
        alone = rows if same_batch else rows * ranks
        seconds_alone = self.compute(alone) if same_batch else ranks * self.compute(rows)
        return seconds_alone / (ranks * self.step(each, ranks, link))


def networks_of(found):
    networks, rates = [], {}
    for name, one in found["networks"].items():
        fixed, of_row = fit(one["step_seconds"])
        batch = max(map(int, one["step_seconds"]))
        networks.append(Network(name, one["parameters"], fixed, of_row, batch, True))
        if name in UNETS:
            count = count_unet(*UNETS[name])
            if count.parameters != one["parameters"]:
                raise SystemExit(f"scaling_model: {name}: counted {count.parameters} parameters, the run has {one['parameters']}")
            rates[name] = operations_of_row(count) / of_row
    if rates:
        largest = max(rates, key=lambda name: found["networks"][name]["parameters"])
        count = count_unet(*UNETS["ddpm-cifar10"])
        adamw = found["exchange"]["2"]["adamw_seconds_of_a_parameter"] * count.parameters
        networks.append(Network("ddpm-cifar10", count.parameters, adamw,
                                operations_of_row(count) / rates[largest], 8, False))
    return networks, rates


def percent(x):
    return f"{100 * x:.0f} %" if x >= 0.0995 else f"{100 * x:.1f} %"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def step_table(networks, rates):
    rows = []
    for n in networks:
        rate = f"{rates[n.name] / 1e9:.0f}" if n.name in rates else ""
        kind = "measured" if n.measured else "from counted operations, at the rate above it"
        rows.append([NAMES[n.name], f"{n.parameters:,}", f"{n.fixed * 1e3:.2f} ms + {n.of_row * 1e6:,.1f} µs a row", rate, kind])
    return table(["", "parameters", "a step of one rank", "10^9 operations a second", ""], rows)


def traffic_table(found, networks):
    rows = []
    for n in networks:
        one = found["networks"].get(n.name, {})
        measured = one.get("bytes_of_a_step_of_two")
        bytes_of_two = 2 * 4 * (n.parameters + BESIDE)
        rows.append([NAMES[n.name], f"{bytes_of_two / 1e6:.2f} MB", f"{measured / 1e6:.2f} MB" if measured else "",
                     f"{2 * 7 / 8 * 4 * n.parameters / 1e6:.2f} MB", f"{2 * 511 / 512 * 4 * n.parameters / 1e6:.2f} MB"])
    return table(["", "two ranks, both ways: counted", "measured", "sent by each of 8", "sent by each of 512"], rows)


def check_table(found, networks):
    """The model against what two ranks took here."""
    sizes = found["exchange"]["2"]["sizes"]
    latency = sizes[0]["seconds"]
    largest = sizes[-1]
    link = ((largest["bytes"]) / (largest["seconds"] - latency), latency / 2)
    rows = []
    for n in networks:
        for batch, seconds in found["networks"].get(n.name, {}).get("two_ranks", {}).items():
            predicted = n.step(int(batch) / 2, 2, link)
            rows.append([NAMES[n.name], batch, f"{predicted * 1e3:.2f} ms", f"{seconds * 1e3:.2f} ms",
                         f"{n.compute(int(batch)) / seconds:.2f}", f"{n.compute(int(batch)) / predicted:.2f}"])
    return (f"On the loopback interface here a message takes {latency / 2 * 1e6:.0f} µs and {link[0] / 1e9:.1f} GB a second go "
            "through.\n\n" +
            table(["", "`--batch`", "a step, by the model", "measured", "times one rank, measured", "by the model"], rows))


def efficiency_table(networks, links, same_batch):
    head = ["", "rows of a step" if same_batch else "rows of a rank"]
    head += [f"{ranks} ranks, {name}" for name in links for ranks in RANKS]
    rows = []
    for n in networks:
        batch = (512 if n.name != "mlp" else 65536) if same_batch else n.batch
        rows.append([NAMES[n.name], f"{batch:,}"] +
                    [percent(n.efficiency(batch, ranks, link, same_batch)) for link in links.values() for ranks in RANKS])
    return table(head, rows)


def optimiser_table(found, networks):
    adamw = found["exchange"]["2"]["adamw_seconds_of_a_parameter"]
    rows = []
    for n in networks:
        seconds = adamw * n.parameters
        rows.append([NAMES[n.name], f"{seconds * 1e3:.2f} ms", percent(seconds / n.compute(n.batch)),
                     percent(seconds / (n.fixed + n.of_row)), f"{n.parameters * 28 / 1e6:.0f} MB", f"{n.parameters * 12 / 1e6:.0f} MB"])
    return (f"AdamW and the average take {adamw * 1e9:.2f} ns a parameter.\n\n" +
            table(["", "AdamW", f"of a step with the rows above", "with one row a rank", "state of a rank", "of which sharding saves up to"],
                  rows))


def page(found, links):
    networks, rates = networks_of(found)
    notes = sorted({one["note"] for one in [*found["networks"].values(), *found["exchange"].values()] if one.get("note")})
    parts = [f"Measured on {found['machine']['processor']}, {found['machine']['cores']} cores. {' '.join(notes)}".strip() + "\n",
             "### Steps of one rank with one thread\n", step_table(networks, rates),
             "### Bytes of a step\n", traffic_table(found, networks),
             "### The model against two ranks here\n", check_table(found, networks),
             "### Efficiency where each rank keeps its rows\n", efficiency_table(networks, links, False),
             "### Efficiency where a step keeps its rows\n", efficiency_table(networks, links, True),
             "### The optimiser's state\n", optimiser_table(found, networks)]
    return "\n".join(parts)


def self_test():
    assert count_unet(*UNETS["ddpm-cifar10"]).parameters == 35_746_307  # google/ddpm-cifar10-32
    fixed, slope = fit({"1": 3.0, "2": 5.0, "4": 9.0})
    assert abs(fixed - 1) < 1e-12 and abs(slope - 2) < 1e-12
    assert fit({"1": 1.0, "2": 3.0})[0] == 0.0
    # A ring moves 2 (n - 1) / n of the bytes in 2 (n - 1) messages.
    assert abs(ring(8e9, 8, (1e9, 0)) - 14) < 1e-9 and abs(ring(0, 8, (1e9, 1e-3)) - 0.014) < 1e-12
    assert sum(buckets(1_000_000, 2)) == 4_000_000 + 16 and len(buckets(1_000_000, 2)) == 4 and len(buckets(1, 2)) == 1
    free = Network("mlp", 100, 0.0, 1e-3, 8, True)
    assert abs(free.efficiency(64, 8, (1e30, 0), True) - 1) < 1e-9 and abs(free.efficiency(64, 8, (1e30, 0), False) - 1) < 1e-9
    # What is fixed is paid by each.
    heavy = Network("mlp", 100, 1.0, 1.0, 8, True)
    assert abs(heavy.efficiency(8, 8, (1e30, 0), True) - 9 / (8 * 2)) < 1e-9
    # Behind the backward pass only the last bucket shows.
    net = Network("unet", 10_000_000, 0.0, 100.0, 8, True)
    assert abs(net.step(1, 8, (1e9, 0)) - 100 - ring(buckets(10_000_000, 8)[-1], 8, (1e9, 0))) < 1e-9
    print("scaling_model: the arithmetic holds")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("measured", nargs="?", default=str(MEASURED))
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scaling.md")
    parser.add_argument("--check", action="store_true", help="exit 1 where docs/scaling.md has others")
    parser.add_argument("--link", action="append", default=[], metavar="NAME=BYTES,SECONDS")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    links = dict(LINKS)
    if options.link:
        links = {}
        for text in options.link:
            name, numbers = text.split("=")
            links[name] = tuple(map(float, numbers.split(",")))
    tables = page(json.loads(Path(options.measured).read_text()), links)
    if not (options.write or options.check):
        print(tables)
        return 0
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    made = before + BEGIN + "\n\n" + tables + "\n" + END + rest.split(END)[1]
    if options.check:
        return int(made != text)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
