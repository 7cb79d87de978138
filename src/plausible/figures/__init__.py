"""Pictures, as functions that return them.

``pixels``        grids of images, of completions too; PNG files, animations
``plots``         scatter, walks, reconstructions, heatmap, lines
``latent_space``  all of a z with two coordinates
``classifiers``   reliability diagram, risk-coverage curve, decision boundary
``evaluations``   nearest neighbours, spectra, walks through z
"""

from plausible.figures.classifiers import classification, decision_boundary
from plausible.figures.evaluations import evaluation
from plausible.figures.latent_space import latent_plane
from plausible.figures.pixels import completion_grid, gif, grid, images, paired_grid, png
from plausible.figures.plots import heatmap, line_plot, picture, reconstruction, scatter, walks

__all__ = [
    "classification",
    "completion_grid",
    "decision_boundary",
    "evaluation",
    "gif",
    "grid",
    "heatmap",
    "images",
    "latent_plane",
    "line_plot",
    "paired_grid",
    "picture",
    "png",
    "reconstruction",
    "scatter",
    "walks",
]
