"""Pictures, as functions that return them.

``samples``       what samples look like: ``pixels`` of images, points of the ``plane``, ``histograms`` of columns
``pixels``        grids of images, of completions too
``captions``      a title above a picture, the names of rows beside it
``learning``      the ``curves`` of a training; ``braille`` draws lines in a terminal
``plots``         scatter, walks, reconstructions, heatmap, lines
``latent_space``  all of a z with two coordinates
``classifiers``   reliability diagram, risk-coverage curve, decision boundary
``explanations``  what each class makes of an input
``directions``    walks along the principal directions of z
``evaluations``   nearest neighbours, spectra, walks through z
``side_by_side``  what several models draw, beside real data
``tradeoff``      quality against time
``colours``       which are used, so that everybody tells them apart
``files``         pictures as PNG files, animations

What has axes is a matplotlib ``Figure``, what is made of pixels a PIL ``Image``: ``png`` takes either.
"""

from plausible.figures.captions import captioned
from plausible.figures.classifiers import classification, decision_boundary
from plausible.figures.directions import directions
from plausible.figures.evaluations import evaluation
from plausible.figures.explanations import explanation
from plausible.figures.files import Picture, gif, png, rendered
from plausible.figures.latent_space import latent_plane
from plausible.figures.learning import learning_curves
from plausible.figures.pixels import completion_grid, grid, images, paired_grid
from plausible.figures.plots import heatmap, line_plot, reconstruction, scatter, walks
from plausible.figures.samples import picture
from plausible.figures.side_by_side import point_panels, side_by_side
from plausible.figures.tradeoff import pareto_front, tradeoff

__all__ = [
    "Picture",
    "captioned",
    "classification",
    "completion_grid",
    "decision_boundary",
    "directions",
    "evaluation",
    "explanation",
    "gif",
    "grid",
    "heatmap",
    "images",
    "latent_plane",
    "learning_curves",
    "line_plot",
    "paired_grid",
    "pareto_front",
    "picture",
    "png",
    "point_panels",
    "reconstruction",
    "rendered",
    "scatter",
    "side_by_side",
    "tradeoff",
    "walks",
]
