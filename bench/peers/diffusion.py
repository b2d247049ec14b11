"""Sampling by DDIM and training steps in PyTorch, as in bench/diffusion_work.cpp, for any model(x, time).

plain: as people write it, eager float32. careful: inference mode, constants outside the loop, one time for the whole
batch, optimisers with foreach; careful-bf16 adds autocast and, for images, channels last.
"""
import copy

import torch
from torch import nn


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


def sampling(side, model):
    side.load(model)
    start, schedule, state = side.array("start"), side.array("schedule").float(), {}
    column = (-1,) + (1,) * (start.dim() - 1)

    @torch.no_grad()
    def plain():
        x = start
        for i in range(len(schedule) - 1):
            t, alpha, sigma = schedule[i].expand(x.shape[0], 3).T
            _, alpha_s, sigma_s = schedule[i + 1].expand(x.shape[0], 3).T
            noise = model(x, t)
            x0 = (x - sigma.view(column) * noise) / alpha.view(column)
            x = alpha_s.view(column) * x0 + sigma_s.view(column) * noise
        state["x"] = x

    rows = [[float(v) for v in row] for row in schedule]
    times = [torch.full((1,), row[0]) for row in rows]

    @torch.inference_mode()
    def careful():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=side.bf16):
            x = start
            for i, ((_, alpha, sigma), (_, alpha_s, sigma_s)) in enumerate(zip(rows, rows[1:])):
                noise = model(x, times[i]).float()
                x = torch.add(x * (alpha_s / alpha), noise, alpha=sigma_s - sigma * alpha_s / alpha)
        state["x"] = x

    side.serve(careful if side.careful else plain, lambda: state["x"],
               lambda: len(times[1:]) * products_of(model, start, times[0]))


def training(side, model, batch, repeat):
    side.load(model)
    data, levels, fixed = side.array("data"), side.array("levels").float(), side.array("noise")
    batch, repeat = side.number("batch", batch), side.number("repeat", repeat)
    column = (-1,) + (1,) * (data.dim() - 1)
    parameters = list(model.parameters())
    first = dict(model.named_parameters())[side.first_parameter]

    def reference():
        noised = levels[:, 1].view(column) * data[: len(levels)] + levels[:, 2].view(column) * fixed
        loss = nn.functional.mse_loss(model(noised, levels[:, 0]), fixed)
        return torch.cat([loss.detach().reshape(1), torch.autograd.grad(loss, first)[0].flatten()])

    expected = reference()
    average = copy.deepcopy(model).requires_grad_(False)
    averages = list(average.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.0, foreach=side.careful)

    def step():
        x0 = data[torch.randint(len(data), (batch,))]
        t = torch.rand(batch)
        alpha = torch.exp(-0.5 * (0.1 * t + 0.5 * 19.9 * t * t)).view(column)
        noise = torch.randn_like(x0)
        noised = alpha * x0 + torch.sqrt(1 - alpha * alpha) * noise
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=side.bf16):
            loss = nn.functional.mse_loss(model(noised, t).float(), noise)
        optimiser.zero_grad(set_to_none=side.careful)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        with torch.no_grad():
            if side.careful:
                torch._foreach_mul_(averages, 0.999)
                torch._foreach_add_(averages, parameters, alpha=0.001)
            else:
                for a, p in zip(averages, parameters):
                    a.mul_(0.999).add_(p, alpha=0.001)
        loss.item()

    def run():
        for _ in range(repeat):
            step()

    # Backward takes two products for each of forward's.
    side.serve(run, lambda: expected, lambda: 3 * repeat * products_of(model, data[:batch], torch.ones(batch)))
