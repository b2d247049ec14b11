"""Trains in PyTorch as `fokker train` does by default, from process start on, and prints each held-out loss.

usage: train.py DATA.npy PEER THREADS STEPS     points (n, d) or images (n, 1, 28, 28) in 0..255; PEER of bench/compare.py

The same network, process (variance-preserving), prediction (velocity), batch, optimiser, schedule of the learning rate,
average of the weights, and rows and times of the held-out loss.
"""
import copy
import math
import sys

import numpy
import torch
from torch import nn

import mlp
import unet
from side import TODAY


def points(data):
    return (data - data.mean(0)) / data.std(0), mlp.Mlp(data.shape[1], width=128, depth=3, time_scale=10), 1.0, 0.0


def images(data):
    return data / 127.5 - 1, unet.UNet(data.shape[1], data.shape[2], base=16), 1000.0, -1.0


def main():
    file, variant, threads, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    careful, bf16 = "plain" not in variant, variant.endswith("bf16")
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    data = torch.from_numpy(numpy.load(file)).float()
    is_table = data.dim() == 2
    data, model, scale, offset = points(data) if is_table else images(data)
    batch, every, kept = (512, 500, 2048) if is_table else (32, 100, 256)
    data = data[torch.randperm(len(data))]
    held_out, data = data[: min(len(data) // 10, 10000)][:kept], data[min(len(data) // 10, 10000):]
    if careful and not is_table:
        model = model.to(memory_format=torch.channels_last)
    nn.init.zeros_((model.output if is_table else model.conv_out).weight)
    nn.init.zeros_((model.output if is_table else model.conv_out).bias)
    average = copy.deepcopy(model).requires_grad_(False)
    parameters, averages = list(model.parameters()), list(average.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.0,
                                  **({"fused": True} if careful and TODAY else {"foreach": careful}))
    column = (-1,) + (1,) * (data.dim() - 1)

    def loss_of(network, x0, t, noise):
        alpha = torch.exp(-0.5 * (0.1 * t + 0.5 * 19.9 * t * t)).view(column)
        sigma = torch.sqrt(-torch.expm1(-(0.1 * t + 0.5 * 19.9 * t * t))).view(column)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            value = network(alpha * x0 + sigma * noise, scale * t + offset).float()
        return nn.functional.mse_loss(value, alpha * noise - sigma * x0)

    # Compiling is part of the time to a loss.
    training_loss = torch.compile(loss_of, dynamic=False) if "compiled" in variant else loss_of

    def times(n):
        return 1e-3 + (1 - 1e-3) * ((torch.rand(1) + torch.arange(n) / n) % 1)

    fixed_times, fixed_noise = times(len(held_out)), torch.randn_like(held_out)
    for step in range(steps):
        rate = min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * rate
        x0 = data[torch.randint(len(data), (batch,))]
        loss = training_loss(model, x0, times(batch), torch.randn_like(x0))
        optimiser.zero_grad(set_to_none=careful)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        decay = min(0.999, (2 + step) / (11 + step))
        with torch.no_grad():
            if careful:
                torch._foreach_mul_(averages, decay)
                torch._foreach_add_(averages, parameters, alpha=1 - decay)
            else:
                for a, p in zip(averages, parameters):
                    a.mul_(decay).add_(p, alpha=1 - decay)
        if (step + 1) % every == 0:
            with torch.inference_mode():
                print(step + 1, float(loss_of(average, held_out, fixed_times, fixed_noise)), flush=True)


if __name__ == "__main__":
    main()
