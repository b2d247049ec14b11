"""Writes fixtures/network-*.safetensors: UNet2DModels of today's diffusers with random weights, an input and their output.

Run by script/peers-diffusers. One file a configuration: "w.<name>" the weights, "x", "t", "label" (where there is one) and
"y" = the network of them; the metadata holds the configuration.
"""
import json
import pathlib
import sys

import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

SMALL = dict(sample_size=8, in_channels=1, out_channels=1, block_out_channels=(4, 8), layers_per_block=1,
             norm_num_groups=2, attention_head_dim=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
             up_block_types=("AttnUpBlock2D", "UpBlock2D"))

CONFIGURATIONS = {
    "positional": dict(in_channels=3, out_channels=3),
    "google": dict(flip_sin_to_cos=False, freq_shift=1, downsample_padding=0, attention_head_dim=None, norm_eps=1e-6),
    "fourier": dict(time_embedding_type="fourier"),
    "learned": dict(time_embedding_type="learned", num_train_timesteps=40),
    "scale-shift": dict(resnet_time_scale_shift="scale_shift"),
    "scale-shift-groups": dict(resnet_time_scale_shift="scale_shift", attn_norm_num_groups=4),
    "resnet-sampling": dict(downsample_type="resnet", upsample_type="resnet",
                            down_block_types=("AttnDownBlock2D", "AttnDownBlock2D"),
                            up_block_types=("AttnUpBlock2D", "AttnUpBlock2D")),
    "resnet-blocks": dict(down_block_types=("ResnetDownsampleBlock2D", "DownBlock2D"),
                          up_block_types=("UpBlock2D", "ResnetUpsampleBlock2D"), block_out_channels=(4, 4)),
    "classes": dict(num_class_embeds=5),
    "class-timestep": dict(class_embed_type="timestep"),
    "class-identity": dict(class_embed_type="identity"),
    "centred": dict(center_input_sample=True, mid_block_scale_factor=1.4142135, add_attention=False),
    "deep": dict(sample_size=(8, 12), block_out_channels=(4, 4, 8), layers_per_block=2,
                 down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                 up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D")),
    "gelu": dict(act_fn="gelu", dropout=0.1),
    "mish": dict(act_fn="mish", time_embedding_dim=12),
    "relu": dict(act_fn="relu", attn_norm_num_groups=4),
    "no-middle": dict(mid_block_type=None),
    "fourier-scale-shift": dict(time_embedding_type="fourier", resnet_time_scale_shift="scale_shift",
                                down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
                                up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), downsample_type="resnet",
                                upsample_type="resnet", num_class_embeds=3),
}


def fixture(name, changes, folder):
    config = {**SMALL, **changes}
    torch.manual_seed(len(name))
    network = UNet2DModel(**config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    n, size = 2, network.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    x = torch.randn(n, network.config.in_channels, height, width)
    t = torch.tensor([3.0, 31.0])
    if network.config.time_embedding_type == "learned":
        t = t.long()
    label = None
    if network.config.class_embed_type == "timestep":
        label = torch.tensor([2.0, 9.0])
    elif network.config.class_embed_type == "identity":
        label = torch.randn(n, network.time_embedding.linear_2.out_features)
    elif network.config.num_class_embeds:
        label = torch.tensor([network.config.num_class_embeds - 1, 0])
    with torch.no_grad():
        y = network(x, t, class_labels=label).sample
    tensors = {f"w.{key}": value.clone() for key, value in network.state_dict().items()}
    tensors |= {"x": x, "t": t.float(), "y": y.contiguous()}
    if label is not None:
        tensors["label"] = label
    save_file(tensors, folder / f"network-{name}.safetensors",
              metadata={"config": json.dumps({**network.config, "_class_name": "UNet2DModel"})})


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    for each, changed in CONFIGURATIONS.items():
        fixture(each, changed, target)
    print(f"{len(CONFIGURATIONS)} networks in {target}")
