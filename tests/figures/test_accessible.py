"""Every figure says what it shows and in what unit, in colours that no eye and no grey paper takes for one another."""

import itertools

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from tests.conftest import make_data

from plausible import GAN, VAE, Space, figures
from plausible.core.likelihood import LogProb
from plausible.diagnosis.history import History
from plausible.evaluation.metrics.classification import Predictions
from plausible.figures.colours import COLOURS, DATA, SAMPLES, line_style, mark_style
from plausible.figures.histograms import histograms
from plausible.figures.learning import learning_curves
from plausible.figures.plane import plane
from plausible.models import LogisticRegression
from plausible.recognition.answer import Answer
from plausible.recognition.explanation import Explanation, Legend

# how linear RGB is seen without one kind of cones: Machado et al. 2009, doi:10.1109/TVCG.2009.113, severity 1
EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
TAB10 = [f"C{k}" for k in range(10)]  # matplotlib's own, of which red and green are one


def lab(colour, eye="all cones"):
    """CIE L*a*b* of a colour as an eye sees it, in which a distance of 2 can just be seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(EYES[eye] @ linear, 0, 1) / XYZ.sum(1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours, eye):
    pairs = itertools.combinations(colours, 2)
    return min(np.linalg.norm(lab(a, eye) - lab(b, eye)) for a, b in pairs)


@pytest.mark.parametrize("eye", EYES)
def test_no_two_colours_are_one_to_any_eye(eye):
    assert nearest(COLOURS, eye) > 15
    assert nearest((DATA, SAMPLES), eye) > 40


def test_the_colours_of_matplotlib_would_be():
    assert nearest(TAB10, "protanopia") < 5


def test_on_grey_paper_lines_differ_in_dash_or_lightness_and_points_in_their_mark():
    for a, b in itertools.combinations(map(line_style, range(10)), 2):
        lighter = abs(lab(a["color"])[0] - lab(b["color"])[0])
        assert a["linestyle"] != b["linestyle"] or lighter > 6
    assert len({mark_style(k)["marker"] for k in range(10)}) == 10
    assert lab(DATA)[0] - lab(SAMPLES)[0] > 25


def _vae():
    torch.manual_seed(0)
    return VAE(Space((1, 4, 4), 3, 2), VAE.Config(latent=2, width=8)).eval()


def _history():
    line = {"images": 0, "progress": 0.1, "seconds": 1.0}
    said = {"generator": {"loss": 0.7}, "discriminator": {"loss": 1.0, "D(x)": 0.6}}
    return History([{**line, **said, "step": k} for k in (1, 2)])


def _predictions():
    return Predictions(torch.randn(40, 3).log_softmax(1), torch.arange(40) % 3)


def _explained():
    """A vector, of two classes."""
    answer = Answer("it", "a", "it is", 0, (0.9, 0.1), None)
    return Explanation(answer, torch.zeros(2), torch.tensor([0, 1]), LogProb(torch.zeros(2)), None, torch.tensor([1.0, -2.0]), None)  # fmt: skip


class Nearest:
    """A classifier of the plane, by the nearest of three points."""

    def log_posterior(self, x):
        centres = torch.tensor([[0.0, 4.0], [4.0, -2.0], [-4.0, -2.0]], dtype=x.dtype)
        return (-torch.cdist(x, centres)).log_softmax(1)


KINDS = Space((2,), None, 3)
FIGURES = {
    "plane": lambda: plane(torch.randn(9, 2), torch.randn(9, 2)),
    "plane of a model": lambda: plane(torch.randn(9, 2), model=GAN(Space((2,)), GAN.Config(width=4)).eval()),
    "histograms": lambda: histograms(torch.randn(9, 3), torch.randn(9, 3)),
    "scatter": lambda: figures.scatter(torch.randn(9, 2)),
    "scatter of one": lambda: figures.scatter(torch.randn(9, 1), torch.randn(9, 1)),
    "scatter of many": lambda: figures.scatter(torch.randn(9, 4), torch.randn(9, 4)),
    "walks": lambda: figures.walks(Space((2,)), torch.randn(2, 3, 2)),
    "reconstruction": lambda: figures.reconstruction(Space((2,)), *torch.randn(2, 5, 2)),
    "heatmap": lambda: figures.heatmap(torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)),
    "lines": lambda: figures.line_plot({"a": ([1, 2], [1, 2])}, "x", "y", title="A title"),
    "curves": lambda: learning_curves(_history(), [(1, "garbage")]),
    "reliability": lambda: figures.classification(_predictions())["reliability.png"],
    "risk": lambda: figures.classification(_predictions())["risk.png"],
    "boundary": lambda: figures.decision_boundary(LogisticRegression(KINDS), make_data(KINDS).heldout),
    "z": lambda: figures.latent_plane(_vae(), make_data(Space((1, 4, 4), 3, 2)).heldout),
    "directions": lambda: figures.directions(Space((2,)), torch.randn(2, 5, 2), [0.5, 0.2], torch.randn(1, 9, 2), ["no bound"]),
    "explanation": lambda: figures.explanation(Space((2,)), [_explained()], ["a", "b"], Legend()),
    "directions of one": lambda: figures.directions(Space((1,)), torch.randn(2, 5, 1), [0.5, 0.2], torch.randn(1, 9, 1), ["no bound"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_title_and_says_what_its_axes_are(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    shown = [axes for axes in figure.axes if axes.axison]
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    titles += [axes.get_title(loc="left") for axes in figure.axes]
    assert any(titles)
    for axes in shown:
        assert axes.get_ylabel() or figure.get_supylabel()
    # curves below each other share their x, and above a histogram stands the name of its column
    assert shown[-1].get_xlabel() or name in ("heatmap", "histograms")


def test_where_classes_meet_a_line_is_drawn_and_they_are_named():
    data = make_data(KINDS)
    (axes,) = figures.decision_boundary(Nearest(), data.heldout, ("cat", "dog", "eel")).axes
    named = {text.get_text() for text in axes.get_legend().get_texts()}
    assert named == {"class cat", "class dog", "class eel"}
    borders = [np.concatenate(kind.get_paths()[0].to_polygons(closed_only=False))
               for kind in axes.collections if isinstance(kind, ContourSet)]  # fmt: skip
    assert len(borders) == 3
    for border in borders:
        first, second = Nearest().log_posterior(torch.tensor(border)).exp().topk(2).values.T
        assert (first - second).max() < 0.05
