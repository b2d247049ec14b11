"""Sampling by DDIM and training steps in PyTorch, as in bench/diffusion_work.cpp, for any model(x, time).

plain: as people write it, eager float32. careful: inference mode, constants outside the loop, one time for the whole
batch, optimisers with foreach (in PyTorch 2.x fused). bf16 adds autocast; compiled gives torch.compile the step of the
sampler with the weights as constants, and the loss of a training step. Compiling is over before anything is timed.
"""
import copy

import torch
from torch import nn

from side import TODAY


def products_of(model, x, t):
    """Floating-point operations in the linear layers and convolutions of one evaluation."""
    total = 0

    def count(module, _, output):
        nonlocal total
        total += 2 * output.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    with torch.no_grad():
        model(x, t)
    for hook in hooks:
        hook.remove()
    return total


def plain_ddim(model, start, schedule):
    column = (-1,) + (1,) * (start.dim() - 1)
    with torch.no_grad():
        x = start
        for i in range(len(schedule) - 1):
            t, alpha, sigma = schedule[i].expand(x.shape[0], 3).T
            _, alpha_s, sigma_s = schedule[i + 1].expand(x.shape[0], 3).T
            noise = model(x, t)
            x0 = (x - sigma.view(column) * noise) / alpha.view(column)
            x = alpha_s.view(column) * x0 + sigma_s.view(column) * noise
        return x


def careful_ddim(side, model, start, schedule):
    """A function that samples. A step is x' = scale x + weight noise(x, t)."""
    rows = [[float(v) for v in row] for row in schedule]
    times = [torch.full((1,), row[0]) for row in rows[:-1]]
    factors = [(alpha_s / alpha, sigma_s - sigma * alpha_s / alpha)
               for (_, alpha, sigma), (_, alpha_s, sigma_s) in zip(rows, rows[1:])]

    def step(x, time, scale, weight):
        with side.autocast():
            noise = model(x, time).float()
        return x * scale + noise * weight if side.compiles else torch.add(x * scale, noise, alpha=weight)

    if side.compiles:
        factors = [tuple(torch.tensor(f) for f in pair) for pair in factors]
    step = side.compiled(step, frozen=True)

    @torch.inference_mode()
    def sample():
        x = start
        for time, (scale, weight) in zip(times, factors):
            x = step(x, time, scale, weight)
        return x

    return sample


def sampling(side, model):
    side.load(model)
    model.eval()
    start, schedule, state = side.array("start"), side.array("schedule").float(), {}
    sample = careful_ddim(side, model, start, schedule) if side.careful else lambda: plain_ddim(model, start, schedule)

    def run():
        state["x"] = sample()

    side.serve(run, lambda: state["x"], lambda: (len(schedule) - 1) * products_of(model, start, schedule[0, :1]))


def reference_of(side, model, data):
    """The loss of the first rows at given times and noise, and its gradient in the first parameter."""
    levels, noise = side.array("levels").float(), side.array("noise")
    column = (-1,) + (1,) * (data.dim() - 1)
    noised = levels[:, 1].view(column) * data[: len(levels)] + levels[:, 2].view(column) * noise
    loss = nn.functional.mse_loss(model(noised, levels[:, 0]), noise)
    first = dict(model.named_parameters())[side.first_parameter]
    return torch.cat([loss.detach().reshape(1), torch.autograd.grad(loss, first)[0].flatten()])


def average_into(side, averages, parameters):
    with torch.no_grad():
        if side.careful and TODAY:
            torch._foreach_lerp_(averages, parameters, 0.001)
        elif side.careful:
            torch._foreach_mul_(averages, 0.999)
            torch._foreach_add_(averages, parameters, alpha=0.001)
        else:
            for a, p in zip(averages, parameters):
                a.mul_(0.999).add_(p, alpha=0.001)


def training(side, model, batch, repeat):
    side.load(model)
    data = side.array("data")
    batch, repeat = side.number("batch", batch), side.number("repeat", repeat)
    column = (-1,) + (1,) * (data.dim() - 1)
    parameters = list(model.parameters())
    expected = reference_of(side, model, data)
    averages = list(copy.deepcopy(model).requires_grad_(False).parameters())
    speed = {"fused": True} if side.careful and TODAY else {"foreach": side.careful}
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.0, **speed)

    def loss_of(x0, t, noise):
        alpha = torch.exp(-0.5 * (0.1 * t + 0.5 * 19.9 * t * t)).view(column)
        noised = alpha * x0 + torch.sqrt(1 - alpha * alpha) * noise
        with side.autocast():
            return nn.functional.mse_loss(model(noised, t).float(), noise)

    loss_of = side.compiled(loss_of)

    def step():
        x0 = data[torch.randint(len(data), (batch,))]
        loss = loss_of(x0, torch.rand(batch), torch.randn_like(x0))
        optimiser.zero_grad(set_to_none=side.careful)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        average_into(side, averages, parameters)
        loss.item()

    def run():
        for _ in range(repeat):
            step()

    # Backward takes two products for each of forward's.
    side.serve(run, lambda: expected, lambda: 3 * repeat * products_of(model, data[:batch], torch.ones(batch)))
