"""Standard normal numbers in PyTorch, with a new tensor each time; careful: into the same tensor."""
import torch

from side import Side

side = Side()
shape = side.number("rows", 1000), side.number("columns", 1000)
state = {"z": torch.empty(shape)}


def plain():
    state["z"] = torch.randn(shape)


def careful():
    state["z"].normal_()


side.serve(careful if side.careful else plain,
           lambda: torch.stack([state["z"].square().mean(), state["z"].pow(4).mean() / 3]))
