"""A run and a comparison as people have them, for every test of their pages; names in them are hostile."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.datasets import load_digits
from tests.conftest import DRAW

from plausible.evaluation.paired import Answer, Comparison, PairedResult
from plausible.pages import save_page
from plausible.tasks import (
    advise,
    course_of,
    evaluate,
    fit,
    report,
    report_comparison,
    save_report,
)
from plausible.tasks.compared import Compared, FamilyResult, Plan, RunResult
from plausible.tasks.comparison_file import save_comparison_file

HOSTILE = "<script>alert(1)</script>"
"""What a class is called, and a part of what a folder is."""


@pytest.fixture(scope="session", autouse=True)
def _drawn():
    """Figures are drawn as people see them, see ../fixtures.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "draw", DRAW)
        yield


@pytest.fixture
def undrawn(monkeypatch):
    """Nothing is drawn into figures, where what stands beside them is tested."""
    monkeypatch.setattr(Figure, "draw", lambda *_: None)


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


@pytest.fixture(scope="session")
def compared(judged, tmp_path_factory):
    """A comparison of that run with families of which only numbers are left, and one that failed; kept in its folder."""
    folder = tmp_path_factory.mktemp("compared") / "<i>comparison"
    folder.mkdir()
    Image.new("RGB", (1128, 500)).save(folder / "samples.png")
    run = RunResult(
        "gan",
        None,
        judged,
        verdict="FAIL",
        defects={"shape": "FAIL", "copies": "PASS"},
        values={"Frechet multiple": 4.0, "recall": 0.25, "drawing speed": 1e4, "size": 2.0},
    )
    seeds = tuple(
        RunResult(
            "vae",
            k,
            folder / f"vae-{k}",
            verdict=state,
            defects={"shape": state, "copies": "INCONCLUSIVE"},
            values={"Frechet multiple": 2.0 + k, "recall": 0.5, "log likelihood": -9.0 - k, "drawing speed": 1e3},
            signs={"log likelihood": "≥"},
        )
        for k, state in enumerate(("PASS", "FAIL"))
    )  # fmt: skip
    exact = RunResult(
        "pixelcnn",
        0,
        folder / "pixelcnn-0",
        verdict="FAIL",
        defects={"shape": "FAIL"},
        values={"Frechet multiple": 2.5, "recall": 0.5, "log likelihood": -5.0},
        signs={"log likelihood": "="},
    )
    broken = RunResult("rbm", 0, folder / "rbm-0", failed=f"no units for {HOSTILE}")
    lost = RunResult("pixelcnn", 1, folder / "pixelcnn-1", failed="out of memory")
    tests = (
        PairedResult("shape", Answer.A, 0.05, (0.1, 0.4), -0.3, (-0.4, -0.2), 1e-4, 1e-3, 0.05),
        PairedResult("copies", Answer.UNDECIDED, 0.01, (0.0, 0.0), 0.0, (0.0, 0.0), 1.0, 1.0, 0.02, 4200),
        PairedResult("colour", Answer.UNDEFINED, 0.05, reason="these images have no colour"),
    )  # fmt: skip
    found = Compared(
        Plan((str(judged), "vae", "pixelcnn", "rbm"), str(judged.parent / "digits.npz"), minutes=0.5, seeds=2, n=64),
        folder,
        HOSTILE,
        100,
        (FamilyResult("vae", seeds), FamilyResult("gan", (run,)), FamilyResult("pixelcnn", (exact, lost)), FamilyResult("rbm", (broken,))),
        Comparison(("vae", "gan"), 64, 64, tests, (4.0, 0.5), "A's bounded from below"),
        ("Take vae for it.", "It is better in shape & more.", "More minutes would change it."),
        notes=("some notes",),
    )  # fmt: skip
    return save_comparison_file(found)


@pytest.fixture(scope="session")
def comparison_page(compared, tmp_path_factory):
    """The file of its page."""
    return save_page(report_comparison(compared), tmp_path_factory.mktemp("page") / "report.html")


def film(frames):
    """A GIF file."""
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return buffer.getvalue()
