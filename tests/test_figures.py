import io

import pytest
import torch
from PIL import Image

from plausible import figures
from plausible.core.space import Space


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
    assert sheet.size == (3 * (56 + 3) + 3, 2 * (56 + 3) + 3)
    assert sheet.getpixel((3 + 59 + 20, 3 + 59 + 20)) == 255
    assert sheet.getpixel((10, 10)) == 0


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_vectors_of_any_dimension_have_a_picture(dims):
    image = figures.picture(Space((dims,)), torch.randn(40, dims), torch.randn(30, dims))
    assert image.size == (600, 600)
    assert len(image.convert("L").getcolors()) > 5


def test_an_animation_goes_there_and_back():
    frames = [figures.grid(torch.full((1, 1, 8, 8), k / 3)) for k in range(4)]
    animation = Image.open(io.BytesIO(figures.gif(frames)))
    assert animation.format == "GIF"
    assert animation.n_frames == 6
    assert Image.open(io.BytesIO(figures.png(frames[0]))).format == "PNG"
