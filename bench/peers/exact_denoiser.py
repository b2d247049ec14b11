"""The exact denoiser of data in PyTorch: distances, softmax, average. careful: by one matrix product, in inference mode."""
import torch

from side import Side

side = Side()
data, x = side.array("data"), side.array("x")
alpha, sigma = float(side.settings.get("alpha", 0.7)), float(side.settings.get("sigma", 0.7))
bias = -0.5 * (alpha / sigma) ** 2 * data.square().sum(1)
state = {}


def plain():
    with torch.no_grad():
        state["x"] = torch.softmax(-torch.cdist(x, alpha * data) ** 2 / (2 * sigma**2), 1) @ data


def denoised(x):
    with side.autocast():
        return torch.softmax(torch.addmm(bias, x * (alpha / sigma**2), data.T).float(), 1) @ data


denoised = side.compiled(denoised)


@torch.inference_mode()
def careful():
    state["x"] = denoised(x)


side.serve(careful if side.careful else plain, lambda: state["x"], lambda: 4 * x.shape[0] * data.numel())
