"""The peer's side of a comparison: answers "run" with seconds and "save" with a file, as bench_compare does."""
import os
import sys
import time

import numpy
import torch

TODAY = int(torch.__version__.split(".")[0]) >= 2  # PyTorch 2.x


class Side:
    """Reads the command line FOLDER NAME [key=value ...]. NAME is an environment and how it is used, bench/compare.py."""

    def __init__(self, first_parameter=None):
        self.first_parameter = first_parameter
        self.folder, self.name = sys.argv[1], sys.argv[2]
        self.settings = dict(word.split("=", 1) for word in sys.argv[3:])
        torch.set_num_threads(self.number("threads", 2))
        words = self.name.split("-")
        self.careful, self.bf16, self.compiles = "plain" not in words, "bf16" in words, "compiled" in words

    def number(self, key, otherwise):
        return int(self.settings.get(key, otherwise))

    def array(self, name):
        return torch.from_numpy(numpy.load(f"{self.folder}/{name}.npy"))

    def load(self, module):
        """Copies the parameters of our network, whose names are the module's."""
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(self.array(name))

    def autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16)

    def compiled(self, function, frozen=False):
        """The function as torch.compile has it, where this side compiles. frozen: its parameters are constants."""
        if not self.compiles:
            return function
        import torch._inductor.config

        torch._inductor.config.freezing = frozen
        return torch.compile(function, dynamic=False)

    def serve(self, run, result, products=lambda: 0):
        """products(): floating-point operations of a run that lie in matrix products and convolutions."""
        print("ready", flush=True)
        for line in sys.stdin:
            if line.strip() == "save":
                numpy.save(f"{self.folder}/{self.name}.npy", result().detach().float().numpy())
                print("saved", flush=True)
            elif line.strip() == "products":
                print(products(), flush=True)
            else:
                start = time.perf_counter()
                run()
                print(f"{time.perf_counter() - start:.9f}", flush=True)
        sys.stdout.flush()
        os._exit(0)  # threads of the compiler need not be waited for
