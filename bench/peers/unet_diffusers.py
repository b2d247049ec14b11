"""The same U-Net as Hugging Face's diffusers has it, used as its documentation does.

Sampling: UNet2DModel in channels-last and DPM-Solver++ (2M) of diffusers, with as many evaluations as our DDIM has, so the
work is comparable and the samples are not; what is compared with ours is our DDIM through that model, which is not timed.
Training: diffusers' add_noise and EMAModel with accelerate's settings.
"""
import copy

import torch
from accelerate import Accelerator
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from torch import nn

import diffusion
from side import Side
from unet import GROUPS, HEAD, UNet

side = Side(first_parameter="conv_in.weight")
images, size = side.number("channels", 1), side.number("side", 28)
channels = [block.resnets[0].conv1.out_channels for block in UNet(images, size).down_blocks]
net = UNet2DModel(sample_size=size, in_channels=images, out_channels=images, layers_per_block=1, freq_shift=0,
                  block_out_channels=channels, down_block_types=["DownBlock2D"] * len(channels),
                  up_block_types=["UpBlock2D"] * len(channels), norm_num_groups=GROUPS, attention_head_dim=HEAD)
net = net.to(memory_format=torch.channels_last)


class Ours(nn.Module):
    """Called as bench/peers/unet.py is, by the names of its parameters."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, time):
        return self.inner(x, time.expand(x.shape[0])).sample

    def named_parameters(self, *_, **__):
        return self.inner.named_parameters()


def sampling():
    start, schedule = side.array("start"), side.array("schedule").float()
    steps = len(schedule) - 1
    scheduler = DPMSolverMultistepScheduler(algorithm_type="dpmsolver++", solver_order=2)
    network = side.compiled(lambda x, t: net(x, t).sample, frozen=True)

    @torch.inference_mode()
    def run():
        scheduler.set_timesteps(steps)
        x = start
        for t in scheduler.timesteps:
            with side.autocast():
                noise = network(x, t)
            x = scheduler.step(noise.float(), t, x).prev_sample

    side.serve(run, lambda: diffusion.plain_ddim(Ours(net), start, schedule),
               lambda: steps * diffusion.products_of(Ours(net), start, schedule[0, :1]))


def training():
    data = side.array("data")
    batch, repeat = side.number("batch", 32), side.number("repeat", 1)
    expected = diffusion.reference_of(side, Ours(net), data)
    reference = copy.deepcopy(net)
    accelerator = Accelerator(cpu=True, mixed_precision="bf16" if side.bf16 else "no")
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.0, fused=True)
    prepared, optimiser = accelerator.prepare(net, optimiser)
    average = EMAModel(net.parameters(), decay=0.999, foreach=True)
    scheduler = DDPMScheduler()

    def step():
        x0 = data[torch.randint(len(data), (batch,))]
        noise = torch.randn_like(x0)
        t = torch.randint(scheduler.config.num_train_timesteps, (batch,))
        with accelerator.autocast():
            loss = nn.functional.mse_loss(prepared(scheduler.add_noise(x0, noise, t), t).sample.float(), noise)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(prepared.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.step(net.parameters())
        loss.item()

    def run():
        for _ in range(repeat):
            step()

    side.serve(run, lambda: expected,
               lambda: 3 * repeat * diffusion.products_of(Ours(reference), data[:batch], torch.ones(batch)))


side.load(net)
if side.settings.get("work") == "training":
    training()
else:
    net.eval()
    sampling()
