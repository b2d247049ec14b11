"""Writes fixtures/schedulers.safetensors: what the loops of today's diffusers draw from two small networks.

Run by script/peers-diffusers. "start" (2, 1, 8, 8) is the standard normal start, "noise" (20, 2, 1, 8, 8) the draw of each
step; "epsilon.<name>", "v_prediction.<name>" and "flow.<name>" are the weights of networks trained for a few seconds to predict
that; "x.<case>" is what each case ends with after 20 steps. The metadata holds the networks' configuration, each case's
scheduler_config.json, and those of every class with its defaults.
"""
import importlib
import json
import pathlib
import sys

import diffusers
import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

STEPS = 20
torch.set_num_threads(1)  # small tensors: threads would only wait for one another
NETWORK = dict(sample_size=8, in_channels=1, out_channels=1, block_out_channels=(4, 8), layers_per_block=1,
               norm_num_groups=2, attention_head_dim=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
               up_block_types=("AttnUpBlock2D", "UpBlock2D"))
V = dict(prediction_type="v_prediction")
ZERO_SNR = dict(rescale_betas_zero_snr=True, timestep_spacing="trailing", **V)
CASES = {
    "ddpm": ("DDPMScheduler", {}),
    "ddpm-large": ("DDPMScheduler", dict(variance_type="fixed_large", clip_sample=False)),
    "ddpm-sigmoid": ("DDPMScheduler", dict(beta_schedule="sigmoid", timestep_spacing="linspace")),
    "ddpm-zero-snr": ("DDPMScheduler", dict(clip_sample=False, **ZERO_SNR)),
    "ddim": ("DDIMScheduler", dict(clip_sample=False)),
    "ddim-offset": ("DDIMScheduler", dict(clip_sample=False, set_alpha_to_one=False, steps_offset=1,
                                          beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)),
    "ddim-zero-snr": ("DDIMScheduler", dict(clip_sample=False, **ZERO_SNR)),
    "ddim-trained": ("DDIMScheduler", dict(clip_sample=False, num_train_timesteps=40,
                                           trained_betas=[0.002 + 0.005 * i for i in range(40)])),
    "pndm": ("PNDMScheduler", {}),
    "pndm-plms": ("PNDMScheduler", dict(skip_prk_steps=True, steps_offset=1)),
    "dpm": ("DPMSolverMultistepScheduler", {}),
    "dpm-3": ("DPMSolverMultistepScheduler", dict(solver_order=3)),
    "dpm-1": ("DPMSolverMultistepScheduler", dict(solver_order=1)),
    "dpm-v": ("DPMSolverMultistepScheduler", dict(timestep_spacing="leading", steps_offset=1, **V)),
    "dpm-zero-snr": ("DPMSolverMultistepScheduler", ZERO_SNR),
    "dpm-sigma-min": ("DPMSolverMultistepScheduler", dict(final_sigmas_type="sigma_min")),
    "dpm-cosine": ("DPMSolverMultistepScheduler", dict(beta_schedule="squaredcos_cap_v2")),
    "dpm-karras": ("DPMSolverMultistepScheduler", dict(use_karras_sigmas=True)),
    "dpm-sde": ("DPMSolverMultistepScheduler", dict(algorithm_type="sde-dpmsolver++")),
    "dpm-singlestep": ("DPMSolverSinglestepScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "unipc-3": ("UniPCMultistepScheduler", dict(solver_order=3, solver_type="bh1", timestep_spacing="trailing",
                                                final_sigmas_type="sigma_min")),
    "deis": ("DEISMultistepScheduler", {}),
    "deis-3": ("DEISMultistepScheduler", dict(solver_order=3)),
    "lms": ("LMSDiscreteScheduler", {}),
    "lms-karras": ("LMSDiscreteScheduler", dict(use_karras_sigmas=True)),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-leading": ("EulerDiscreteScheduler", dict(timestep_spacing="leading", steps_offset=1)),
    "euler-v": ("EulerDiscreteScheduler", dict(timestep_spacing="trailing", **V)),
    "euler-karras": ("EulerDiscreteScheduler", dict(use_karras_sigmas=True)),
    "euler-exponential": ("EulerDiscreteScheduler", dict(use_exponential_sigmas=True)),
    "euler-ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "heun-karras": ("HeunDiscreteScheduler", dict(use_karras_sigmas=True)),
    "edm": ("EDMEulerScheduler", {}),
    "edm-exponential": ("EDMEulerScheduler", dict(sigma_schedule="exponential", sigma_max=20.0)),
    "edm-dpm": ("EDMDPMSolverMultistepScheduler", {}),
    "flow": ("FlowMatchEulerDiscreteScheduler", {}),
    "flow-shift": ("FlowMatchEulerDiscreteScheduler", dict(shift=3.0)),
    "flow-terminal": ("FlowMatchEulerDiscreteScheduler", dict(shift=2.0, shift_terminal=0.1, num_train_timesteps=500)),
}


def images(n, generator):
    """Waves of a random direction and phase, in [-1, 1]."""
    grid = torch.arange(8) / 8
    a, b, phase = (torch.rand(n, 1, 1, generator=generator) * scale for scale in (4, 4, 6.28))
    return torch.cos(a * grid[None, :, None] + b * grid[None, None, :] + phase).unsqueeze(1)


def trained(prediction):
    """A network after some seconds: what it predicts keeps every loop stable."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(1)
    network = UNet2DModel(**NETWORK)
    scheduler = diffusers.DDPMScheduler()
    optimiser = torch.optim.Adam(network.parameters(), 4e-3)
    for _ in range(1500):
        x, t = images(32, generator), torch.randint(0, 1000, (32,), generator=generator)
        noise = torch.randn(x.shape, generator=generator)
        target = noise if prediction == "epsilon" else scheduler.get_velocity(x, noise, t)
        noised = scheduler.add_noise(x, noise, t)
        if prediction == "flow":
            sigma = (t / 1000)[:, None, None, None]
            target, noised = noise - x, sigma * noise + (1 - sigma) * x
        loss = (network(noised, t).sample - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(prediction, loss.item())
    return network.eval()


@torch.no_grad()
def run(scheduler, network, start, noise):
    draws = iter(noise)
    module = importlib.import_module(type(scheduler).__module__)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = lambda *arguments, **options: next(draws).clone()
    scheduler.set_timesteps(STEPS)
    x = start * getattr(scheduler, "init_noise_sigma", 1.0)
    scaled = getattr(scheduler, "scale_model_input", lambda x, t: x)
    for t in scheduler.timesteps:
        x = scheduler.step(network(scaled(x, t), t).sample, t, x).prev_sample
    return x.float()


def main(folder):
    generator = torch.Generator().manual_seed(7)
    start = torch.randn(2, 1, 8, 8, generator=generator)
    noise = torch.randn(STEPS, 2, 1, 8, 8, generator=generator)
    networks = {kind: trained(kind) for kind in ("epsilon", "v_prediction", "flow")}
    tensors = {"start": start, "noise": noise}
    for kind, network in networks.items():
        tensors |= {f"{kind}.{name}": value.clone() for name, value in network.state_dict().items()}
    metadata = {"network": json.dumps({**networks["epsilon"].config, "_class_name": "UNet2DModel"})}
    for case, (name, options) in CASES.items():
        scheduler = getattr(diffusers, name)(**options)
        metadata[f"case.{case}"] = scheduler.to_json_string()
        metadata[f"default.{name}"] = getattr(diffusers, name)().to_json_string()
        kind = "flow" if case.startswith("flow") else options.get("prediction_type", "epsilon")
        x = run(scheduler, networks[kind], start, noise)
        assert x.isfinite().all(), case
        tensors[f"x.{case}"] = x.contiguous()
        print(f"{case}: deviation {float(x.std()):.3f}, largest {float(x.abs().max()):.3f}")
    save_file(tensors, folder / "schedulers.safetensors", metadata=metadata)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
