"""Runs that the app is tried on."""

import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import plausible
from plausible.app.workplace import Workplace

if find_spec("gradio") is None:  # which is not imported here: it takes two seconds
    pytest.skip("the app needs gradio", allow_module_level=True)


@pytest.fixture(scope="session", autouse=True)
def _gradio():
    """Gradio comes without the type stubs that it compares for each component, in half of the time."""

    def no_file(what):
        raise OSError(f"no stubs for {what}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect, "getfile", no_file)
        import_module("plausible.app.server")


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with runs of 8x8 digits: naive-bayes, a conditional gan, an rbm, a pixelcnn, a classifier, vectors."""
    folder = tmp_path_factory.mktemp("app") / "runs"
    binary = plausible.data.options.Options(binarise="threshold")
    fit = plausible.fit
    fit("naive-bayes", "digits", out=folder / "bayes")
    fit("gan", "digits", steps=2, width=4, latent=4, conditional=True, watch=False, out=folder / "gan")  # fmt: skip
    fit("rbm", "digits", steps=2, hidden=8, options=binary, watch=False, out=folder / "rbm")
    fit("pixelcnn", "digits", steps=1, width=4, blocks=1, options=binary, watch=False, out=folder / "pixelcnn")  # fmt: skip
    fit("logistic", "digits", out=folder / "logistic")
    fit("mixture", "ring", components=8, out=folder / "deeper" / "ring")
    return folder


@pytest.fixture
def work(runs):
    return Workplace(runs)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A workplace without a run, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Workplace(Path("runs"))
