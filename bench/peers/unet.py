"""The U-Net of bench/unet_cases.cpp in PyTorch, with the tensor names of a UNet2DModel."""
import math

import torch
from torch import nn
from torch.nn import functional

import diffusion
from side import TODAY, Side

GROUPS, HEAD = 8, 8


class GroupNorm(nn.GroupNorm):
    """PyTorch 1.13 refuses a bfloat16 input with float32 weights, as autocast makes them: its statistics are in float32."""

    def forward(self, x):
        return super().forward(x) if TODAY else super().forward(x.float()).to(x.dtype)


class Time(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.linear_1 = nn.Linear(channels, 4 * channels)
        self.linear_2 = nn.Linear(4 * channels, 4 * channels)
        half = channels // 2
        self.register_buffer("frequencies", torch.exp(torch.arange(half) * (-math.log(10000) / half)))

    def forward(self, time):
        angle = time[:, None] * self.frequencies
        features = torch.cat([angle.cos(), angle.sin()], 1)
        return self.linear_2(functional.silu(self.linear_1(features)))


class Resnet(nn.Module):
    def __init__(self, inputs, outputs, time):
        super().__init__()
        self.norm1, self.norm2 = GroupNorm(GROUPS, inputs), GroupNorm(GROUPS, outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.time_emb_proj = nn.Linear(time, outputs)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x, time):
        h = self.conv1(functional.silu(self.norm1(x)))
        h = h + self.time_emb_proj(functional.silu(time))[:, :, None, None]
        h = self.conv2(functional.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if self.conv_shortcut is not None else x)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = GroupNorm(GROUPS, channels)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        n, channels, height, width = x.shape
        h = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = (f(h).view(n, -1, channels // HEAD, HEAD).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
        if TODAY:
            mixed = functional.scaled_dot_product_attention(q, k, v)
        else:
            mixed = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(HEAD), -1) @ v
        mixed = mixed.transpose(1, 2).reshape(n, -1, channels)
        return x + self.to_out[0](mixed).transpose(1, 2).reshape(n, channels, height, width)


class Resample(nn.Module):
    def __init__(self, channels, down):
        super().__init__()
        self.down = down
        self.conv = nn.Conv2d(channels, channels, 3, stride=2 if down else 1, padding=1)

    def forward(self, x):
        return self.conv(x if self.down else functional.interpolate(x, scale_factor=2, mode="nearest"))


class Stage(nn.Module):
    """Residual blocks of one resolution, then the way to the next."""

    def __init__(self, sizes, time, down=None, up=None):
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(a, b, time) for a, b in sizes)
        if down:
            self.downsamplers = nn.ModuleList([Resample(down, True)])
        if up:
            self.upsamplers = nn.ModuleList([Resample(up, False)])


class Middle(nn.Module):
    def __init__(self, channels, time):
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(channels, channels, time) for _ in range(2))
        self.attentions = nn.ModuleList([Attention(channels)])


class UNet(nn.Module):
    def __init__(self, images, side, base=40):
        super().__init__()
        channels = [base]
        while side >= 14:
            channels.append(min(2 * channels[-1], 4 * base))
            side = (side + 1) // 2
        time, last = 4 * base, len(channels) - 1
        self.conv_in = nn.Conv2d(images, base, 3, padding=1)
        self.time_embedding = Time(base)
        self.down_blocks = nn.ModuleList(
            Stage([(channels[max(i - 1, 0)], c)], time, down=c if i < last else None) for i, c in enumerate(channels))
        self.mid_block = Middle(channels[-1], time)
        self.up_blocks = nn.ModuleList()
        for i in reversed(range(last + 1)):
            below, finer = channels[min(i + 1, last)], channels[max(i - 1, 0)]
            sizes = [(below + channels[i], channels[i]), (channels[i] + finer, channels[i])]
            self.up_blocks.append(Stage(sizes, time, up=channels[i] if i > 0 else None))
        self.conv_norm_out = GroupNorm(GROUPS, base)
        self.conv_out = nn.Conv2d(base, images, 3, padding=1)

    def forward(self, x, time):
        multiple = 2 ** (len(self.down_blocks) - 1)
        height, width = x.shape[2:]
        x = functional.pad(x, (0, -width % multiple, 0, -height % multiple))
        time = self.time_embedding(time)
        h = self.conv_in(x)
        skips = [h]
        for stage in self.down_blocks:
            for block in stage.resnets:
                h = block(h, time)
                skips.append(h)
            if hasattr(stage, "downsamplers"):
                h = stage.downsamplers[0](h)
                skips.append(h)
        h = self.mid_block.resnets[0](h, time)
        h = self.mid_block.attentions[0](h)
        h = self.mid_block.resnets[1](h, time)
        for stage in self.up_blocks:
            for block in stage.resnets:
                h = block(torch.cat([h, skips.pop()], 1), time)
            if hasattr(stage, "upsamplers"):
                h = stage.upsamplers[0](h)
        return self.conv_out(functional.silu(self.conv_norm_out(h)))[:, :, :height, :width]


if __name__ == "__main__":
    side = Side(first_parameter="conv_in.weight")
    model = UNet(side.number("channels", 1), side.number("side", 28))
    if side.careful:
        model = model.to(memory_format=torch.channels_last)
    if side.settings.get("work") == "training":
        diffusion.training(side, model, batch=32, repeat=4)
    else:
        diffusion.sampling(side, model)
