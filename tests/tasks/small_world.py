"""Small data, and runs of models that have hardly learned, for the tests of every parameter."""

import itertools
import shutil
from functools import cached_property

import numpy as np
from PIL import Image

from plausible import tasks
from plausible.data.load import load
from plausible.data.options import Options
from plausible.runs.checksums import write_noted

R = np.random.default_rng(0)
Y = np.arange(160) % 2
GREY = (R.integers(0, 3, (160, 4, 4)) + Y[:, None, None]).astype(np.uint8)  # 0 to 3
PLANE = R.normal(size=(300, 2)) + 4 * (np.arange(300) % 2)[:, None]
TOO_FAST = {"lr": 1e5}  # a gradient is not finite in the second round


class World:
    """Small data, and runs of models that have hardly learned, each made when it is first asked for."""

    def __init__(self, folder):
        self.folder, self._number = folder, itertools.count()
        arrays = {
            "grey": {"x": GREY, "y": Y, "levels": 4}, "bits": {"x": GREY // 2, "y": Y},
            "plane": {"x": PLANE}, "far": {"x": PLANE[:60] + 9}, "near": {"x": PLANE[:60] + 0.01},
            "kinds": {"x": PLANE, "y": np.arange(300) % 2}, "named": {"x": GREY, "y": Y + 5, "levels": 4},
        }  # fmt: skip
        for name, held in arrays.items():
            np.savez(folder / f"{name}.npz", **held)
            setattr(self, name, folder / f"{name}.npz")
        self.large = folder / "large.npz"  # whose symmetries can be asked about
        np.savez(self.large, x=R.integers(0, 3, (120, 8, 9)).astype(np.uint8), levels=3)
        self.pictures = folder / "pictures"
        self.pictures.mkdir()
        for k, image in enumerate(GREY[:12]):
            Image.fromarray(image * 85).save(self.pictures / f"{k}.png")
        self.part = load(str(self.grey)).heldout.rows(slice(0, 5))

    def new(self):
        """A folder that is not there yet."""
        return self.folder / f"new-{next(self._number)}"

    def run(self, model, data, **choices):
        return tasks.fit(model, data, out=self.new(), **choices).run.folder

    @cached_property
    def vae(self):
        return self.run("vae", self.grey, steps=20, width=8, latent=2, conditional=True)

    @cached_property
    def flat(self):
        return self.run("vae", self.plane, steps=5, width=8, latent=2)

    @cached_property
    def refined(self):
        return self.refine(self.flat)

    @cached_property
    def orphan(self):
        """A refined run whose start was moved, to ``moved``."""
        begun = shutil.copytree(self.flat, self.folder / "begun")
        run = self.refine(begun)
        begun.rename(self.moved)
        return run

    @property
    def moved(self):
        return self.folder / "moved"

    def refine(self, start):
        small = {"steps": 2, "width": 4, "evaluate": False, "watch": False}
        return tasks.refine(start, out=self.new(), **small).trained.run.folder

    @cached_property
    def cnn(self):
        return self.run("pixelcnn", self.grey, steps=5, width=4, blocks=1, conditional=True)

    @cached_property
    def diffusion(self):
        return self.run("diffusion", self.grey, steps=60, width=32, lr=1e-2, conditional=True)

    @cached_property
    def bayes(self):
        return self.run("naive-bayes", self.grey)

    @cached_property
    def background(self):
        return self.run("naive-bayes", self.grey, options=Options(mutate=0.2))

    @cached_property
    def mixture(self):
        return self.run("mixture", self.plane, components=2)

    @cached_property
    def lost(self):
        """A run whose data are no longer where they were."""
        shutil.copy(self.plane, self.folder / "gone.npz")
        run = self.run("mixture", self.folder / "gone.npz", components=2)
        (self.folder / "gone.npz").unlink()
        return run

    @cached_property
    def gan(self):
        return self._of_two("gan", self.plane, width=8)

    @cached_property
    def rbm(self):
        return self._of_two("rbm", self.bits, hidden=4, lr=1.0, conditional=True)

    @cached_property
    def halves(self):
        kept = [Options(half=half) for half in (1, 2)]
        return [self.run("mixture", self.plane, components=1, options=how) for how in kept]

    @cached_property
    def report(self):
        return tasks.evaluate(tasks.fit("logistic", self.kinds))

    @cached_property
    def measured(self):
        return tasks.evaluate_samples(self.far, self.plane, n=40)

    @cached_property
    def sealed(self):
        folder = self.new()
        tasks.save_report(tasks.evaluate_samples(self.far, self.plane, n=8), folder)
        return folder

    @cached_property
    def judged(self):
        tasks.save_report(tasks.evaluate(self.mixture, n=8), self.mixture)
        return self.mixture

    @cached_property
    def failing(self):
        return self.run("gan", self.plane, steps=1, width=8, watch=False, **TOO_FAST)

    def _of_two(self, model, data, **config):
        """A run whose best weights are not its last."""
        folder, best = (self.run(model, data, steps=n, **config) for n in (9, 2))
        for name, source in (("last", folder), ("weights", best)):
            content = (source / "weights.safetensors").read_bytes()
            write_noted(folder / f"{name}.safetensors", content)
        return folder
