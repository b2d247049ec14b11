"""Writes fixtures/network-*.safetensors: UNet2DModels and UNet2DConditionModels of today's diffusers with random weights, an
input and their output.

Run by script/peers-diffusers. One file a configuration: "w.<name>" the weights, "x", "t", "label" (where there is one) and
"y" = the network of them; the metadata holds the configuration. The label of a network that attends to a token (one a row)
ends with it.
"""
import json
import pathlib
import sys

import torch
from diffusers import UNet2DConditionModel, UNet2DModel
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

# Of UNet2DConditionModel: told one token, a class, or a vector.
CROSSED = dict(sample_size=8, in_channels=1, out_channels=1, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2,
               attention_head_dim=2, cross_attention_dim=3, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
               up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))
UNCROSSED = dict(down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
                 mid_block_type="UNetMidBlock2D")
CONDITIONAL = {
    "token": dict(),
    "token-linear": dict(use_linear_projection=True, transformer_layers_per_block=2, attention_head_dim=4, act_fn="mish",
                         flip_sin_to_cos=False, freq_shift=1, downsample_padding=0),
    "token-levels": dict(block_out_channels=(4, 4, 8), attention_head_dim=(1, 2, 4), transformer_layers_per_block=(1, 2, 1),
                         down_block_types=("CrossAttnDownBlock2D", "ResnetDownsampleBlock2D", "DownBlock2D"),
                         up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
                         resnet_time_scale_shift="scale_shift", sample_size=(4, 8)),
    "token-number": dict(class_embed_type="timestep", act_fn="gelu", mid_block_scale_factor=1.5),
    "token-projection": dict(class_embed_type="projection", projection_class_embeddings_input_dim=2, mid_block_type=None),
    "conditional-classes": dict(num_class_embeds=4, center_input_sample=True, **UNCROSSED),
    "conditional-identity": dict(class_embed_type="identity", time_embedding_dim=12, **UNCROSSED),
    "conditional-linear": dict(class_embed_type="simple_projection", projection_class_embeddings_input_dim=5, act_fn="relu",
                               **UNCROSSED),
}


def make(name):
    """The network of that name, with random weights that are nowhere zero."""
    torch.manual_seed(len(name))
    if name in CONDITIONAL:
        network = UNet2DConditionModel(**{**CROSSED, **CONDITIONAL[name]}).eval()
    else:
        network = UNet2DModel(**{**SMALL, **CONFIGURATIONS[name]}).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network


def attends(network):
    return any("attn2" in name for name in network.state_dict())


def told(network, n):
    """Labels of n rows, as diffusers takes them; None where there are none."""
    config = network.config
    if config.class_embed_type == "timestep":
        return torch.tensor([2.0, 9.0])
    if config.class_embed_type == "identity":
        return torch.randn(n, network.time_embedding.linear_2.out_features)
    if config.class_embed_type in ("projection", "simple_projection"):
        return torch.randn(n, config.projection_class_embeddings_input_dim)
    return torch.tensor([config.num_class_embeds - 1, 0]) if config.num_class_embeds else None


def fixture(name, folder):
    network = make(name)
    n, size = 2, network.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    x = torch.randn(n, network.config.in_channels, height, width)
    t = torch.tensor([3.0, 31.0])
    if network.config.time_embedding_type == "learned":
        t = t.long()
    label, more = told(network, n), {}
    if name in CONDITIONAL:
        token = torch.randn(n, 1, network.config.cross_attention_dim) if attends(network) else None
        more = {"encoder_hidden_states": token}
    with torch.no_grad():
        y = network(x, t, class_labels=label, **more).sample
    if more and token is not None:
        parts = [] if label is None else [label.reshape(n, -1)]
        label = torch.cat([*parts, token.squeeze(1)], 1)
    tensors = {f"w.{key}": value.clone() for key, value in network.state_dict().items()}
    tensors |= {"x": x, "t": t.float(), "y": y.contiguous()}
    if label is not None:
        tensors["label"] = label
    save_file(tensors, folder / f"network-{name}.safetensors",
              metadata={"config": json.dumps({**network.config, "_class_name": type(network).__name__})})


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    for each in (*CONFIGURATIONS, *CONDITIONAL):
        fixture(each, target)
    print(f"{len(CONFIGURATIONS) + len(CONDITIONAL)} networks in {target}")
