#!/usr/bin/env python3
"""Samples what `fokker export RUN --out FOLDER --format npz` wrote, with NumPy alone: run_arrays.py FOLDER OUT.npy
[START.npy | N] [LABEL]. START holds rows of the model's space at the first time; N draws as many from a normal law. LABEL is
a class, by its place in the list of them, or the numbers of a condition, 1,2.5,...; without it rows are of any."""
import json
import math
import sys

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv(x, weight, bias, pads, strides, **_):
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    windows = sliding_window_view(x, weight.shape[2:], (2, 3))[:, :, ::strides[0], ::strides[1]]
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True) + bias[:, None, None]


def standardised(x, scale, shift, epsilon):
    axes = tuple(range(2, x.ndim))
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + epsilon)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


OPERATIONS = {
    "Add": np.add, "Mul": np.multiply, "Div": np.divide, "MatMul": np.matmul, "Sin": np.sin, "Cos": np.cos, "Log": np.log,
    "Tanh": np.tanh, "Erf": np.vectorize(math.erf, [float]), "Relu": lambda x: np.maximum(x, 0), "Identity": lambda x: x,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "Softplus": lambda x: np.logaddexp(x, 0), "Softmax": softmax, "Round": np.round, "Cast": lambda x, to: x.astype(int),
    "Gemm": lambda x, w, b, transB: x @ w.T + b, "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "Gather": lambda x, i: x[i], "Shape": lambda x: np.array(x.shape), "Transpose": lambda x, perm: x.transpose(perm),
    "Reshape": lambda x, s: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(s)]),
    "Conv": conv, "InstanceNormalization": standardised, "Resize": lambda x, scales, **_: x.repeat(2, 2).repeat(2, 3),
    "AveragePool": lambda x, **_: x.reshape(*x.shape[:2], x.shape[2] // 2, 2, -1, 2).mean((3, 5)),
    "Pad": lambda x, p: np.pad(x, list(zip(p[:4], p[4:]))), "Slice": lambda x, start, end, axes: x[:, :, :end[0], :end[1]]}


def run(model, values):
    for node in model["graph"]["nodes"]:
        attributes = {k: v for k, v in node.items() if k not in ("op", "inputs", "output")}
        values[node["output"]] = OPERATIONS[node["op"]](*(values[i] for i in node["inputs"] if i), **attributes)
    return values["denoised"]


folder, out, start = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "16"
model, arrays = json.load(open(f"{folder}/model.json")), dict(np.load(f"{folder}/arrays.npz"))
times, shape, bound = model["times"], model["event_shape"], model.get("clip", np.inf)  # images are clipped
x = np.random.default_rng(0).normal(size=[int(start)] + shape) * times[0]["sigma"] if start.isdigit() else np.load(start)
label, k = sys.argv[4] if len(sys.argv) > 4 else "", len(model["condition_columns"])
assert label or not model.get("needs_label"), "expected LABEL, as the network knows no rows without"
told = [float(v) for v in label.split(",")] + [0.0] if label and k else [0.0] * k + [1.0]
for now, later in zip(times, times[1:]):  # DDIM (Song et al. 2021, eq. 12 with eta = 0)
    given = {k: np.array([v]) for k, v in now.items()}
    given |= {"x": x, "time": np.full(len(x), now["time"]), "condition": np.tile(told, (len(x), 1)),
              "label": np.full(len(x), int(label) if label and not k else -1)}
    denoised = run(model, arrays | given).clip(-bound, bound)
    x = later["alpha"] * denoised + later["sigma"] * (x - now["alpha"] * denoised) / now["sigma"]
np.save(out, x @ arrays["to_user.matrix"] + arrays["to_user.shift"] if "to_user.matrix" in arrays else x)
