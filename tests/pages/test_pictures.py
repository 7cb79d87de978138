"""Pictures of a page: they fit together, and figures follow its colours."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.pages.conftest import film

from plausible.pages.pictures import as_pixels, fit_pictures, still
from plausible.pages.svg import drawn_by_lines, inline_svg

R = np.random.default_rng(0)
SIDE = 240


def noise(mode="RGB"):
    """A picture that no format makes small without a loss."""
    channels = len(mode)
    pixels = R.integers(0, 256, (SIDE, SIDE, channels), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(), mode)


def size(fitted):
    return sum(len(inline.uri) for inline in fitted.inline.values())


def test_with_room_every_picture_is_exact():
    picture, content = noise("L"), film([noise("L") for _ in range(3)])
    fitted = fit_pictures({"a": picture}, {"f": content}, 10**7)
    assert fitted.notes == ()
    assert fitted.inline["a"].uri.startswith("data:image/png;base64,")
    assert fitted.inline["f"].uri.startswith("data:image/gif;base64,")
    assert fitted.inline["a"][1:] == (SIDE, SIDE)


@pytest.mark.parametrize("share", [0.7, 0.3, 0.1])
def test_without_room_they_become_smaller_and_it_is_said(share):
    pictures = {"rgb": noise(), "grey": noise("L"), "alpha": noise("RGBA")}
    whole = size(fit_pictures(pictures, {}, 10**8))
    fitted = fit_pictures(pictures, {}, int(share * whole))
    assert size(fitted) <= share * whole
    assert fitted.inline.keys() == pictures.keys()
    (note,) = fitted.notes
    assert "those in the folder are whole" in note


def test_a_film_loses_frames_and_then_is_left_out_with_a_sentence():
    content = film([noise("L") for _ in range(26)])
    fewer = fit_pictures({}, {"f": content}, len(content))
    assert 1 < frames(fewer.inline["f"].uri) <= 24
    assert "fewer frames here than in the folder" in fewer.notes[0]
    without = fit_pictures({"a": noise("L")}, {"f": content}, 120_000)
    assert without.inline.keys() == {"a"}
    assert "left out" in without.notes[0]


def frames(uri):
    import base64

    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).n_frames


def test_the_still_of_a_film_is_its_last_frame():
    shown = [Image.new("L", (4, 4), value) for value in (0, 100, 200)]
    assert still(film(shown)).getpixel((0, 0)) == (200, 200, 200)


def figure(name="a <b> & #bd1f01"):
    made = Figure(figsize=(3, 2))
    axes = made.subplots()
    axes.plot([0, 1], [0, 1], color="#bd1f01", label=name)
    axes.set_title(name)
    return made


def test_a_figure_becomes_an_element_in_the_colours_of_the_page():
    drawn = str(inline_svg(figure(), "p1", 'says "this"').element)
    assert drawn.startswith("<svg viewBox=")
    assert 'role="img" aria-label=\'says "this"\'' in drawn
    assert "stroke: var(--red)" in drawn
    assert "font-family" not in drawn
    assert "http" not in drawn
    assert "a &lt;b&gt; &amp; #bd1f01</text>" in drawn  # words stay what they are
    other = str(inline_svg(figure(), "p2", "says this").element)
    ids = [{part.split('"')[0] for part in text.split(' id="')[1:]} for text in (drawn, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_clouds_of_points_are_drawn_by_pixels():
    cloud = figure()
    assert drawn_by_lines(cloud)
    cloud.axes[0].scatter(*R.normal(size=(2, 500)))
    assert not drawn_by_lines(cloud)
    sharp = as_pixels(cloud)
    assert sharp.mode == "RGB"
    assert sharp.width > 350
