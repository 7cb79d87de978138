"""Lines of braille signs go where their values go, and differ without colours."""

import numpy as np

from plausible.figures.braille import plot, sample_of


def dots(rows, margin):
    """Which dots are black: (4 rows, 2 columns of letters)."""
    bits = np.array([[ord(sign) - 0x2800 for sign in row.plain[margin:]] for row in rows])
    found = np.zeros((4 * bits.shape[0], 2 * bits.shape[1]), bool)
    order = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
    for bit, (row, column) in enumerate(order):
        found[row::4, column::2] = bits >> bit & 1
    return found


def test_a_line_goes_where_its_values_go():
    x = np.arange(40)
    rows = plot({"up": (x, x)}, 22, 5, 40, "{:.0f}".format)
    assert [row.plain[:2] for row in rows] == ["39", "  ", "  ", "  ", " 0"]
    black = dots(rows, 3)
    assert black.shape == (20, 38)
    assert black[-1, 0]
    assert black[0, -1]
    assert not black[0, 0]
    middle = black[:, 18:20].any(1).nonzero()[0]
    assert set(middle) <= {9, 10, 11}


def test_a_place_shows_the_mean_of_its_values_and_a_jump_is_joined():
    x = np.arange(4000)
    noisy = dots(plot({"a": (x, x % 2 + x // 2000 * 9)}, 22, 5, 4000, "{:.0f}".format), 3)
    assert noisy[-1, :18].all()
    assert noisy[0, 20:].all()
    assert noisy[:, 17:21].any(1).all()  # from the bottom to the top


def test_lines_of_one_panel_differ_without_colours():
    x = np.arange(100)
    first, second = (
        dots(plot(dict(lines), 40, 3, 100, str), 5)
        for lines in ([("a", (x, x * 1.0))], [("b", (x, x * 1.0)), ("a", (x, 0.0 * x + 50))])
    )
    assert first.any(0).all()
    flat = second[5]  # of the second line, which is drawn in pieces
    assert 0.3 < flat.mean() < 0.8
    assert len({sample_of(k) for k in range(4)}) == 4


def test_values_that_are_one_and_logarithms_have_a_place():
    x = np.arange(10)
    flat = dots(plot({"a": (x, 0 * x + 3.0)}, 20, 3, 10, str), 4)
    assert set(flat.nonzero()[0]) <= {5, 6}
    powers = dots(plot({"a": (x, 10.0**x)}, 24, 5, 10, "{:.0e}".format, logarithmic=True), 6)
    straight = [column.nonzero()[0].mean() for column in powers.T if column.any()]
    assert np.abs(np.diff(straight, 2)).max() < 2
