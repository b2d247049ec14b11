"""Standard normal numbers in PyTorch, with a new tensor each time; careful: into the same tensor."""
import torch

from side import Side

side = Side()
shape = side.number("rows", 1000), side.number("columns", 1000)
state = {"z": torch.empty(shape)}
draw = side.compiled(lambda: torch.randn(shape))


def new():
    state["z"] = draw()


def careful():
    state["z"].normal_()


side.serve(careful if side.careful and not side.compiles else new,
           lambda: torch.stack([state["z"].square().mean(), state["z"].pow(4).mean() / 3]))
