"""The peer's side of a comparison: answers "run" with seconds and "save" with a file, as bench_compare does."""
import sys
import time

import numpy
import torch


class Side:
    """Reads the command line FOLDER VARIANT [key=value ...]; `variant` is "plain" or "careful"."""

    def __init__(self, first_parameter=None):
        self.first_parameter = first_parameter
        self.folder, self.variant = sys.argv[1], sys.argv[2]
        self.settings = dict(word.split("=", 1) for word in sys.argv[3:])
        torch.set_num_threads(self.number("threads", 2))
        self.careful = self.variant.startswith("careful")
        self.bf16 = self.variant.endswith("bf16")

    def number(self, key, otherwise):
        return int(self.settings.get(key, otherwise))

    def array(self, name):
        return torch.from_numpy(numpy.load(f"{self.folder}/{name}.npy"))

    def load(self, module):
        """Copies the parameters of our network, whose names are the module's."""
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(self.array(name))

    def serve(self, run, result, products=lambda: 0):
        """products(): floating-point operations of a run that lie in matrix products and convolutions."""
        print("ready", flush=True)
        for line in sys.stdin:
            if line.strip() == "save":
                numpy.save(f"{self.folder}/{self.variant}.npy", result().detach().float().numpy())
                print("saved", flush=True)
            elif line.strip() == "products":
                print(products(), flush=True)
            else:
                start = time.perf_counter()
                run()
                print(f"{time.perf_counter() - start:.9f}", flush=True)
