"""Checks `fokker import` and `fokker export` against today's diffusers: check_round_trip.py FOKKER FOLDER.

Pipelines that diffusers saves are imported and handed back: the same files up to the order of keys, the same tensors. What
fokker trains and exports is opened by diffusers, and imported again: the same tensors, the same samples.
"""
import json
import pathlib
import shutil
import subprocess
import sys

import numpy
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDIMPipeline, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import load_file

from make_networks import CONDITIONAL, CONFIGURATIONS, SMALL, make, told

torch.set_num_threads(1)
FOKKER, HOME = sys.argv[1], pathlib.Path(sys.argv[2])


def fokker(*arguments):
    return subprocess.run([FOKKER, *map(str, arguments), "--quiet"], check=True, capture_output=True, text=True).stdout


def configuration(folder, name):
    config = json.loads((folder / name).read_text())
    return {key: value for key, value in config.items() if key != "_name_or_path"}


def weights(folder):
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def check_same(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


def handed_back(name, pipeline, **options):
    """Saved by diffusers, imported, exported: nothing has changed."""
    theirs, run, back = HOME / f"{name}-theirs", HOME / f"{name}-run", HOME / f"{name}-back"
    pipeline.save_pretrained(theirs, **options)
    fokker("import", theirs, "--out", run)
    fokker("export", run, "--out", back)
    for part in ("model_index.json", "unet/config.json", "scheduler/scheduler_config.json"):
        assert configuration(theirs, part) == configuration(back, part), part
    check_same(weights(theirs / "unet"), weights(back / "unet"))
    again = type(pipeline).from_pretrained(back)
    check_same(pipeline.unet.state_dict(), again.unet.state_dict())
    files = check_bytes(theirs, back)
    print(f"{name}: handed back; the weights' file{'s are' if files > 1 else ' is'} the same bytes"
          f"{f' ({files} with their index)' if files > 1 else ''}")


def check_bytes(theirs, back):
    """All that is in unet/ but its configuration; how many files."""
    files = [{file.name: file.read_bytes() for file in (folder / "unet").iterdir() if file.name != "config.json"}
             for folder in (theirs, back)]
    assert files[0] == files[1], theirs
    return len(files[0])


def handed_back_alone(name, scheduler):
    """A network that is told what no pipeline of diffusers has, beside its scheduler: the same, and opened again."""
    theirs, run, back = HOME / f"{name}-theirs", HOME / f"{name}-run", HOME / f"{name}-back"
    network = make(name)
    network.save_pretrained(theirs / "unet")
    scheduler.save_pretrained(theirs / "scheduler")
    fokker("import", theirs, "--out", run)
    fokker("export", run, "--out", back)
    for part in ("unet/config.json", "scheduler/scheduler_config.json"):
        assert configuration(theirs, part) == configuration(back, part), part
    check_bytes(theirs, back)
    again, found = type(network).from_pretrained(back / "unet", output_loading_info=True)
    assert not found["missing_keys"] and not found["unexpected_keys"], found
    # What our own configuration says is opened too, without the one that it came with.
    shutil.copy(run / "unet" / "config.json", back / "unet" / "config.json")
    own = type(network).from_pretrained(back / "unet")
    x, t = torch.randn(2, *network_shape(network)), torch.tensor([3.0, 31.0])
    told_rows = {"class_labels": told(network, 2)}
    if name in CONDITIONAL:
        told_rows["encoder_hidden_states"] = torch.randn(2, 1, network.config.cross_attention_dim)
    with torch.no_grad():
        y = [each(x, t, **told_rows).sample for each in (network, again, own)]
    assert torch.equal(y[0], y[1]) and torch.equal(y[0], y[2]), name
    print(f"{name}: handed back; the weights' file is the same bytes; our own configuration is the same network")


def network_shape(network):
    size = network.config.sample_size
    return (network.config.in_channels, *((size, size) if isinstance(size, int) else size))


def opened(process, pipeline_class):
    """Trained and exported by fokker: diffusers opens it, and so do we."""
    name = process.replace(":", "-")
    images = HOME / "images.npy"
    numpy.save(images, numpy.random.default_rng(0).uniform(-1, 1, (64, 1, 8, 8)).astype("float32"))
    run, out, again = HOME / f"{name}-run", HOME / f"{name}-out", HOME / f"{name}-again"
    fokker("train", "--data", images, "--process", process, "--steps", 3, "--out", run, "--no-report")
    fokker("export", run, "--out", out)
    network, found = UNet2DModel.from_pretrained(out / "unet", output_loading_info=True)
    assert not found["missing_keys"] and not found["unexpected_keys"], found
    if pipeline_class:
        pipeline = pipeline_class.from_pretrained(out)
        image = pipeline(num_inference_steps=2, output_type="np", generator=torch.Generator().manual_seed(0)).images
        assert numpy.isfinite(image).all()
    fokker("import", out, "--out", again)
    check_same(weights(run / "unet"), weights(again / "unet"))
    drawn = []
    for folder in (run, again):
        file = HOME / f"{folder.name}.npy"
        fokker("sample", folder, "--n", 2, "--sampler", "ddim", "--steps", 5, "--grid", "uniform", "--clip", 0, "--out", file)
        drawn.append(file.read_bytes())
    assert drawn[0] == drawn[1]
    print(f"{name}: opened by diffusers{' and its pipeline' if pipeline_class else ''}; imported again, the same samples")


def main():
    torch.manual_seed(0)
    for name in ("positional", "google", "scale-shift", "resnet-blocks", "classes", "deep"):
        network = UNet2DModel(**{**SMALL, **CONFIGURATIONS[name]})
        handed_back(name, DDPMPipeline(network, DDPMScheduler()))
    network = UNet2DModel(**SMALL)
    handed_back("ddim", DDIMPipeline(network, DDIMScheduler(rescale_betas_zero_snr=True, prediction_type="v_prediction")))
    handed_back("dpm", DDPMPipeline(network, DPMSolverMultistepScheduler(use_karras_sigmas=True)))
    for name in CONDITIONAL:
        handed_back_alone(name, DDPMScheduler())
    handed_back_alone("class-identity", FlowMatchEulerDiscreteScheduler(shift=3.0))
    handed_back("half", DDPMPipeline(UNet2DModel(**SMALL).to(torch.bfloat16), DDPMScheduler()))
    handed_back("shards", DDPMPipeline(network, DDPMScheduler()), max_shard_size="20KB")
    opened("ddpm", DDPMPipeline)
    opened("vp-cosine", DDPMPipeline)
    opened("edm", None)
    print("round trips: all hold")


if __name__ == "__main__":
    main()
