"""A run as people have one, for every test of its page: trained on digits in a folder of hostile names, and judged."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from plausible.pages import save_page
from plausible.tasks import advise, course_of, evaluate, fit, report, save_report

HOSTILE = "<script>alert(1)</script>"
"""What a class is called, and a part of what a folder is."""


@pytest.fixture(scope="session")
def judged(tmp_path_factory):
    """The folder of a conditional GAN of digits, judged by few samples; its classes are called like parts of a page."""
    folder = tmp_path_factory.mktemp("pages") / "<b>runs & more"
    folder.mkdir()
    digits = load_digits(n_class=2)
    x, names = digits.images.astype(np.uint8), np.array([HOSTILE, 'a "one" & more'])
    np.savez(folder / "digits.npz", x=x, y=names[digits.target])
    run = folder / "gan"
    trained = fit(
        "gan", folder / "digits.npz", steps=60, out=run, architecture="mlp", width=8, latent=2,
        conditional=True, penalties=(),
    )  # fmt: skip
    frames = [Image.new("L", (60, 40), 80 * k) for k in range(3)]
    (run / "training.gif").write_bytes(film(frames))
    found = evaluate(trained, n=64)
    save_report(found, run, trained.data, advise(found, course_of(trained)))
    return run


@pytest.fixture(scope="session")
def reported(judged):
    """The report of that run."""
    return report(judged)


@pytest.fixture(scope="session")
def page(reported, tmp_path_factory):
    """The file of its page, with an alarm marked in its curves."""
    return save_page(reported, tmp_path_factory.mktemp("page") / "report.html")


def film(frames):
    """A GIF file."""
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return buffer.getvalue()
