"""Writes fixtures/folder-*: folders as today's diffusers saves them, which are handed back byte for byte.

Run by script/peers-diffusers.
"""
import pathlib
import shutil
import sys

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, DPMSolverMultistepScheduler
from diffusers import FlowMatchEulerDiscreteScheduler

from make_networks import make


def main(folder):
    for old in folder.glob("folder-*"):
        shutil.rmtree(old)
    DDPMPipeline(make("resnet-blocks"), DPMSolverMultistepScheduler()).save_pretrained(folder / "folder-dpm")
    # In two files and their index.
    DDPMPipeline(make("resnet-blocks"), DDPMScheduler()).save_pretrained(folder / "folder-shards", max_shard_size="12KB")
    half = make("resnet-blocks").to(torch.bfloat16)
    DDIMPipeline(half, DDIMScheduler(prediction_type="v_prediction")).save_pretrained(folder / "folder-half")
    # The network beside its scheduler, as no pipeline of diffusers has what it is told.
    for name, network, scheduler in (("token", "token-projection", FlowMatchEulerDiscreteScheduler(shift=3.0)),
                                     ("classes", "conditional-classes", DDPMScheduler())):
        make(network).save_pretrained(folder / f"folder-{name}" / "unet")
        scheduler.save_pretrained(folder / f"folder-{name}" / "scheduler")
    print("5 folders in", folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
