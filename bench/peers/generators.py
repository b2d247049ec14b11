"""The generators of tables that bench/table_peers.py trains: each is trained until a deadline.

Each takes a frame, {column: numerical or categorical}, the target, an UntilDeadline, how many rows to sample, and a
seed; it returns a function that samples, and the names of its packages.
"""
import importlib
import importlib.metadata

import numpy
import pandas


class UntilDeadline:
    """Stands in for a peer's progress bar around its loop over epochs, which has no time limit of its own.

    Begins no epoch that, at the pace of the last, would end after the deadline, but always the first.
    """

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.epochs = clock, seconds, 0

    def start(self):
        """Called when the peer's modules are loaded and before it looks at the data."""
        self.deadline = self.clock() + self.seconds

    def __call__(self, *count, **settings):
        return self

    def __iter__(self):
        last = None
        while True:
            now = self.clock()
            if last is not None and now + (now - last) > self.deadline:
                return
            last = now
            self.epochs += 1
            yield self.epochs - 1

    def left(self):
        """The share of the time that is left."""
        return max(0.0, (self.deadline - self.clock()) / self.seconds)

    def set_postfix(self, **settings):
        pass


def ctgan(data, kinds, target, progress, count, seed, name="CTGAN"):
    """CTGAN with its own defaults, for as many epochs as there is time."""
    module = importlib.import_module(f"ctgan.synthesizers.{name.lower()}")
    module.tqdm = progress
    progress.start()
    model = getattr(module, name)(epochs=10**9, enable_gpu=False)
    model.fit(data, [column for column, kind in kinds.items() if kind == "categorical"])
    return lambda: model.sample(count), ["ctgan", "torch"]


def tvae(*arguments):
    return ctgan(*arguments, name="TVAE")


def tabddpm(data, kinds, target, progress, count, seed):
    """TabDDPM as in PyPI's synthcity, with its defaults: 1000 steps, three layers of 256, AdamW.

    Its numbers pass its own quantile encoder. Two things differ from its plugin. It takes columns of more than ten
    levels for numbers: here categories are what `kinds` says, as in the paper, and a class target is the condition.
    And the linear decay of its learning rate ends with the time, not with an epoch.
    """
    import torch
    from synthcity.plugins.core.models import tabular_ddpm
    from synthcity.plugins.core.models.tabular_encoder import TabularEncoder

    progress.start()
    conditional = kinds[target] == "categorical"
    inputs = [name for name in kinds if not (conditional and name == target)]
    categories = [name for name in inputs if kinds[name] == "categorical"]
    levels = {name: pandas.factorize(data[name], sort=True) for name in [*categories, *[target] * conditional]}
    coded = data[inputs].assign(**{name: levels[name][0] for name in categories})
    encoder = TabularEncoder(continuous_encoder="quantile", cont_encoder_params={"random_state": seed},
                             categorical_encoder="none", cat_encoder_params={})
    rows = encoder.fit(coded, categories).transform(coded)
    tabular_ddpm.discrete_columns = lambda frame, **settings: [(name, len(levels[name][1])) for name in categories]
    tabular_ddpm.trange = progress
    model = tabular_ddpm.TabDDPM(n_iter=10**9, is_classification=conditional, device=torch.device("cpu"),
                                 model_params={})

    def decay(epoch):
        for group in model.optimizer.param_groups:
            group["lr"] = model.lr * progress.left()

    model._anneal_lr = decay
    condition = pandas.Series(levels[target][0].astype("int64")) if conditional else None
    model.fit(rows, condition)

    def sample():
        made = numpy.random.choice(levels[target][0], count) if conditional else None
        frame = encoder.inverse_transform(model.generate(count, made))
        frame = frame.assign(**{name: levels[name][1][frame[name].round().astype(int)] for name in categories})
        return frame.assign(**{target: levels[target][1][made]})[list(kinds)] if conditional else frame[list(kinds)]

    return sample, ["synthcity", "torch"]


PEERS = {"ctgan": ctgan, "tvae": tvae, "tabddpm": tabddpm}


def versions(packages):
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
