"""Pictures of points and of evaluations: what is in them, and that every space has them."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import make_data

from plausible import figures
from plausible.core.device import seeded
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.critic.critic import with_critiques
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.critic.views import VIEWS
from plausible.figures.critics import critic_pictures, looked_at
from plausible.models import GAN
from plausible.tasks.embed import embed

PITCH, GAP = 116, 4  # of 8x8 images in a small grid, 112 pixels each


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA"), (2, "L")])
def test_images_have_the_pixels_of_x(channels, mode):
    x = torch.rand(3, channels, 5, 7)
    tiles = figures.images(x)
    assert [(tile.mode, tile.size) for tile in tiles] == [(mode, (7, 5))] * 3
    if channels == 3:
        assert tiles[0].getpixel((6, 4)) == tuple((x[0, :, 4, 6] * 255).round().int().tolist())


def test_a_grid_shows_every_image_enlarged_by_whole_pixels():
    x = torch.zeros(5, 1, 8, 8)
    x[4] = 1
    sheet = figures.grid(x, columns=3)
    assert sheet.size == (3 * PITCH + GAP, 2 * PITCH + GAP)
    assert sheet.getpixel((GAP + PITCH + 20, GAP + PITCH + 20)) == 255
    assert sheet.getpixel((10, 10)) == 0


@pytest.mark.parametrize(
    ("size", "columns", "rows", "factor"),
    [
        ((8, 8), 8, 8, 14),
        ((28, 28), 8, 8, 4),
        ((28, 28), 16, 3, 2),
        ((28, 28), 2, 2, 4),
        ((64, 64), 8, 8, 1),
        ((300, 200), 8, 8, 1),
    ],
)
def test_images_are_large_enough_and_a_sheet_is_not_too_large(size, columns, rows, factor):
    found, gap = figures.pixels.scale(size, columns, rows)
    assert found == factor
    assert 1 <= gap <= GAP


def legend(figure):
    """What the legend of a figure says."""
    return {text.get_text() for text in figure.axes[0].get_legend().get_texts()}


def tile(sheet, row, column):
    """The image at a place of a grid of 8x8 images, as they were: (8, 8) in [0, 1]."""
    left, top, side = GAP + column * PITCH, GAP + row * PITCH, PITCH - GAP
    pixels = torch.from_numpy(np.array(sheet.crop((left, top, left + side, top + side)))) / 255
    return pixels[:: side // 8, :: side // 8]


def test_a_completion_is_the_image_what_is_known_and_the_draws():
    x, draws = torch.randint(2, (2, 1, 8, 8)).float(), torch.randint(2, (2, 3, 1, 8, 8)).float()
    known = torch.zeros(8, 8, dtype=torch.bool)
    known[:2] = True
    sheet = figures.completion_grid(x, known, draws)
    assert sheet.size == (5 * PITCH + GAP, 2 * PITCH + GAP)
    for row in range(2):
        assert torch.equal(tile(sheet, row, 0), x[row, 0])
        assert torch.equal(tile(sheet, row, 1)[:2], x[row, 0, :2])
        assert tile(sheet, row, 1)[2:].sub(0.5).abs().max() < 0.01
        for k in range(3):
            assert torch.equal(tile(sheet, row, 2 + k), draws[row, k, 0])


def test_what_came_back_stands_below_its_input_and_walks_in_rows():
    x, back = (torch.randint(2, (3, 1, 8, 8)).float() for _ in range(2))
    space = Space((1, 8, 8), 2)
    sheet = figures.reconstruction(space, x, back)
    for k in range(3):
        assert torch.equal(tile(sheet, 0, k), x[k, 0])
        assert torch.equal(tile(sheet, 1, k), back[k, 0])
    walks = figures.walks(space, torch.stack([x, back]))
    assert torch.equal(tile(walks, 1, 2), back[2, 0])
    on_the_plane = figures.walks(Space((2,)), torch.randn(2, 3, 2))
    assert legend(on_the_plane) == {"points of the walks"}
    on_the_plane = figures.reconstruction(Space((2,)), *torch.randn(2, 5, 2))
    assert legend(on_the_plane) == {"inputs", "what came back of them"}


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_vectors_of_any_dimension_have_a_picture(dims):
    figure = figures.picture(Space((dims,)), torch.randn(40, dims), torch.randn(30, dims))
    image = figures.rendered(figure)
    assert min(image.size) > 400
    assert len(image.convert("L").getcolors()) > 5


def test_an_animation_goes_there_and_back():
    frames = [figures.grid(torch.full((1, 1, 8, 8), k / 3)) for k in range(4)]
    animation = Image.open(io.BytesIO(figures.gif(frames)))
    assert animation.format == "GIF"
    assert animation.n_frames == 6
    assert Image.open(io.BytesIO(figures.png(frames[0]))).format == "PNG"


def evaluation_set(space, model=False, values=None):
    """An evaluation set of 20 samples, drawn by a model or given, against random data of a space."""
    data = make_data(space, 120)
    if model:
        drawn = GAN(space, GAN.Config(width=4, latent=5)).eval()
    else:
        drawn = Part(
            make_data(space, 60, 1).train.values if values is None else values, None, space
        )
    with seeded(0):
        evalset, _ = embed([drawn], data, 20, "auto", 0, lambda *told: None)
        return with_critiques(evalset, lambda share: None)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 9), (2, 8, 8)])
@pytest.mark.parametrize("model", [False, True])
def test_an_evaluation_of_images_has_its_pictures(shape, model):
    evalset = evaluation_set(Space(shape, 17), model)
    pictures = figures.evaluation(evalset)
    walks = {"walks.png"} if model else set()
    assert pictures.keys() == {"neighbours.png", "spectrum.png"} | walks | critics(evalset)
    height, width = shape[1:]
    for name, rows, columns in (("neighbours.png", 3, 16), ("walks.png", 8, 12)):
        if name in pictures:
            factor, gap = figures.pixels.scale((width, height), columns, rows)
            across, down = (n * (side * factor + gap) + gap for n, side in
                            ((columns, width), (rows, height)))  # fmt: skip
            words = np.subtract(pictures[name].size, (across, down))  # at the left, and above
            assert (words[0] > 60) == (name == "neighbours.png")
            assert words[1] > 30
    of_colours = {"their colours alone"} if shape[0] > 2 else set()
    assert legend(pictures["spectrum.png"]) == {"held-out images", "samples"} | of_colours
    for image in pictures.values():
        assert Image.open(io.BytesIO(figures.png(image))).format == "PNG"


def test_a_copy_is_shown_first_below_what_it_copies():
    space = Space((1, 8, 8), 17)
    values = make_data(space, 60, 1).train.values.clone()
    values[7] = make_data(space, 120).train.values[3]
    sheet = figures.evaluation(evaluation_set(space, values=values))["neighbours.png"]
    factor, gap = figures.pixels.scale((8, 8), 16, 3)
    side, height = 8 * factor, 3 * (8 * factor + gap) + gap
    left, first = sheet.width - 16 * (side + gap), sheet.height - height + gap
    above, itself = (
        sheet.crop((left, top, left + side, top + side)) for top in (first, first + side + gap)
    )
    assert above.tobytes() == itself.tobytes()
    assert len(np.unique(np.asarray(above))) > 5


@pytest.mark.slow
def test_fewer_samples_than_places_and_images_without_a_spectrum():
    space = Space((1, 2, 2), 17)
    pictures = figures.evaluation(
        evaluation_set(space, values=make_data(space, 15, 1).train.values)
    )
    assert pictures.keys() == {"neighbours.png"}
    assert pictures["neighbours.png"].size[0] > 5 * (112 + 4) + 4
    space = Space((1, 8, 8), 17)
    evalset = evaluation_set(space, values=torch.full((20, 1, 8, 8), 5).byte())
    constant = figures.evaluation(evalset)
    assert constant.keys() == {"neighbours.png", "spectrum.png"} | critics(evalset)


def critics(evalset):
    """A picture for each aspect in which a critic proves something."""
    proven = [name for name, said in evalset.critiques.items() if said[-1].bound > 0]
    return {f"critic-{'all-of-it' if name == 'whole' else name}.png" for name in proven}


@pytest.mark.slow
def test_a_critic_shows_what_it_is_surest_of_and_what_it_saw():
    space = Space((4, 20, 16), 256)
    evalset = evaluation_set(space, values=make_data(space, 60, 1).train.values)
    said = Critique(20, 0, 20, 40, 10, 20, "a convnet", tuple(range(9)), tuple(range(9)))
    evalset = replace(evalset, critiques={name: (said,) for name in VIEWS})
    pictures = critic_pictures(evalset)
    assert set(pictures) == critics(evalset)
    sizes = {name: figures.rendered(figure).size for name, figure in pictures.items()}
    height = {name: size[1] for name, size in sizes.items()}
    assert len({size[0] for size in sizes.values()}) == 1
    assert (
        height["critic-texture.png"] == height["critic-shape.png"] > height["critic-all-of-it.png"]
    )
    unproven = Critique(10, 10, 20, 40, 10, 20, "a convnet", (1,), (1,))
    assert critic_pictures(replace(evalset, critiques={"shape": (unproven,)})) == {}
    x = torch.rand(3, 4, 20, 16)
    for aspect in ("shape", "texture", "colour"):
        seen = looked_at(aspect, x)
        assert seen.shape[0] == 3
        assert seen.shape[1] == 4
        assert 0 <= seen.min() <= seen.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_an_evaluation_of_vectors_has_walks_where_there_is_a_latent(dims):
    assert figures.evaluation(evaluation_set(Space((dims,)))) == {}
    pictures = figures.evaluation(evaluation_set(Space((dims,)), model=True))
    assert pictures.keys() == {"walks.png"}
    assert "points of the walks" in legend(pictures["walks.png"])


@pytest.mark.parametrize("values", [(1.12, 1.31), (1.1, 40.0)])
def test_a_tradeoff_says_at_least_two_values_of_each_axis(values):
    from plausible.figures.tradeoff import Tradeoff, tradeoff

    points = {str(k): Tradeoff(k + 3, value) for k, value in enumerate(values)}
    for axis in (figure := tradeoff(points, "s", "d", "t")).axes[0].xaxis, figure.axes[0].yaxis:
        least, most = axis.get_view_interval()
        places = [*axis.get_majorticklocs(), *axis.get_minorticklocs()]
        inside = [x for x in places if least <= x <= most]
        named = [*axis.get_major_formatter().format_ticks(inside)]
        assert sum(map(bool, named)) >= 2
