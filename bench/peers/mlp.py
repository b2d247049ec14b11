"""The residual MLP of bench/mlp_cases.cpp in PyTorch."""
import math

import torch
from torch import nn

import diffusion
from side import Side


class Embedding(nn.Module):
    def __init__(self, size, hidden, outputs, scale):
        super().__init__()
        self.linear_1 = nn.Linear(size, hidden)
        self.linear_2 = nn.Linear(hidden, outputs)
        half = size // 2
        self.register_buffer("frequencies", scale * torch.exp(torch.arange(half) * (-math.log(10000) / half)))

    def forward(self, time):
        angle = time[:, None] * self.frequencies
        features = torch.cat([angle.cos(), angle.sin()], 1)
        return self.linear_2(nn.functional.silu(self.linear_1(features)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear_1 = nn.Linear(width, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, h, shift):
        return h + self.linear_2(nn.functional.silu(self.linear_1(h) + shift))


class Mlp(nn.Module):
    def __init__(self, dimension=2, width=256, depth=4, size=64, time_scale=1000):
        super().__init__()
        self.time_embedding = Embedding(size, 2 * size, depth * width, time_scale)
        self.input = nn.Linear(dimension, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.output = nn.Linear(width, dimension)

    def forward(self, x, time):
        shifts = self.time_embedding(time).chunk(len(self.blocks), 1)
        h = self.input(x)
        for block, shift in zip(self.blocks, shifts):
            h = block(h, shift)
        return self.output(nn.functional.silu(h))


if __name__ == "__main__":
    side = Side(first_parameter="time_embedding.linear_1.weight")
    model = Mlp(width=side.number("width", 256), depth=side.number("depth", 4))
    if side.settings.get("work") == "training":
        diffusion.training(side, model, batch=256, repeat=20)
    else:
        diffusion.sampling(side, model)
